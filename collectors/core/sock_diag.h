// SPDX-License-Identifier: Apache-2.0
// Asks the kernel about TCP sockets through NETLINK_SOCK_DIAG (sock_diag(7)), with filters that run
// in the kernel. Needs no privilege; sees its own network namespace. Any thread; keeps nothing.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "collectors/core/result.h"

namespace ua {

/// The kernel's numbers (include/net/tcp_states.h), as in idiag_state.
enum class TcpState : std::uint8_t {
  established = 1,
  syn_sent,
  syn_recv,
  fin_wait1,
  fin_wait2,
  time_wait,
  close,
  close_wait,
  last_ack,
  listen,
  closing,
};
inline constexpr std::size_t kTcpStateCount = 11;
std::string_view name(TcpState state);

struct DiagSocket {
  int family = AF_INET;
  TcpState state = TcpState::close;
  std::array<std::uint8_t, 16> local{};  ///< network order; IPv4 in the first four bytes
  std::uint16_t local_port = 0;
  std::uint32_t receive_queue = 0;  ///< of a listener: connections waiting to be accepted
  std::uint32_t send_queue = 0;     ///< of a listener: the most that may wait
  std::uint32_t uid = 0;
  std::uint32_t inode = 0;
};

struct DiagFilter {
  std::uint32_t states = 0xfff;                  ///< bits 1 << TcpState
  std::optional<std::uint16_t> local_port = {};  ///< all where absent
};

/// Walks IPv4, then IPv6. One system call reads some hundred sockets; a walk of tens of thousands
/// takes tens of milliseconds, so only listeners are asked for on the loop.
Result<void> walk_tcp_sockets(const DiagFilter& filter,
                              const std::function<void(const DiagSocket&)>& visit);

/// Listening sockets only: microseconds, whatever else is connected.
Result<std::vector<DiagSocket>> listening_sockets(std::optional<std::uint16_t> port = {});

}  // namespace ua
