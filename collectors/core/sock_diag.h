// SPDX-License-Identifier: Apache-2.0
// Asks the kernel about TCP sockets through NETLINK_SOCK_DIAG (sock_diag(7)), with filters that run
// in the kernel. Needs no privilege; sees its own network namespace. Any thread; keeps nothing.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
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
  bool mini = false;                     ///< a time_wait entry, also where it stands in fin_wait2
  std::array<std::uint8_t, 16> local{};  ///< network order; IPv4 in the first four bytes
  std::uint16_t local_port = 0;
  std::array<std::uint8_t, 16> remote{};  ///< as `local`
  std::uint16_t remote_port = 0;
  std::uint32_t receive_queue = 0;  ///< of a listener: connections waiting to be accepted
  std::uint32_t send_queue = 0;     ///< of a listener: the most that may wait
  bool v6_only = false;             ///< an IPv6 socket that takes no IPv4 connections
  std::uint32_t uid = 0;
  std::uint32_t inode = 0;
};

constexpr std::uint32_t state_bit(TcpState state) { return 1U << static_cast<unsigned>(state); }
inline constexpr std::uint32_t kAllTcpStates = 0xffe;

struct PortRange {
  std::uint16_t first = 0, last = 0;  ///< both within
};

struct DiagFilter {
  std::uint32_t states = kAllTcpStates;         ///< of state_bit()
  std::vector<std::uint16_t> local_ports = {};  ///< any of these; all where empty. At most 2000
  std::optional<PortRange> local_range = {};    ///< looked at where there are no local_ports
};

/// One walk over the IPv4 and IPv6 sockets. A walk of tens of thousands takes tens of milliseconds,
/// so only listeners are asked for on the loop. Sockets already visited when it fails are to be
/// forgotten; where worth_another_walk(), a second one is likely to succeed.
Result<void> walk_tcp_sockets(const DiagFilter& filter,
                              const std::function<void(const DiagSocket&)>& visit);
bool worth_another_walk(const Error& error);

/// One answer of the kernel: netlink messages. Pure.
/// @return whether more answers follow; an error where the kernel said so
Result<bool> read_diag_messages(std::string_view bytes,
                                const std::function<void(const DiagSocket&)>& visit);

/// Listening sockets only: microseconds, whatever else is connected.
Result<std::vector<DiagSocket>> listening_sockets(std::optional<std::uint16_t> port = {});

}  // namespace ua
