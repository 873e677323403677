// SPDX-License-Identifier: Apache-2.0
// What the kernel knows about a connection that went wrong, read without privileges from the socket
// itself (tcp(7), ip(7) IP_RECVERR).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ua {

/// An ICMP error that answered a packet of this socket.
struct IcmpError {
  bool v6 = false;
  std::uint8_t type = 0;
  std::uint8_t code = 0;

  /// A rule said no: prohibited codes, and port unreachable, which for TCP only a firewall sends.
  bool is_rejection() const;
  std::string token() const;  ///< "icmp_3_13", "icmp6_1_4"
};

struct TcpEvidence {
  bool known = false;  ///< false for Unix sockets and sockets already gone
  bool fin_received = false;
  bool reset = false;
  std::uint64_t bytes_acked = 0;
  std::uint64_t bytes_received = 0;
  unsigned unacked = 0;
  unsigned retransmits = 0;

  /// Data was sent again and again and never acknowledged by the peer's kernel.
  bool blackholed() const { return known && unacked > 0 && retransmits > 0; }
};

/// Asks the kernel to queue ICMP errors on `fd`; off again once connected, since on an established
/// connection it would turn passing errors into fatal ones.
void set_icmp_errors(int fd, int family, bool on);
std::optional<IcmpError> take_icmp_error(int fd);
TcpEvidence read_tcp_evidence(int fd);

}  // namespace ua
