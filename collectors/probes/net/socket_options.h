// SPDX-License-Identifier: Apache-2.0
// How a connection is opened, whatever is spoken on it: from where, over which interface, with
// which mark, and whether a PROXY line goes first. Values and free functions; the loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/probes/net/endpoint.h"

namespace ua {

class TableReader;
struct Target;

struct SocketOptions {
  std::optional<Endpoint> source;    ///< its port is 0
  std::string interface;             ///< empty: whichever the route says
  std::optional<std::uint8_t> dscp;  ///< 0 to 63 (RFC 2474)
  bool proxy_protocol = false;       ///< version 1
};

/// Reads `source_address`, `interface`, `dscp` and `proxy_protocol`. nullopt: none is set.
std::optional<SocketOptions> read_socket_options(TableReader& upstream);

/// A number from 0 to 63, or a name: be, cs0 to cs7, af11 to af43, ef, va, le.
std::optional<std::uint8_t> parse_dscp(std::string_view text);

/// Why a target cannot be reached with these options; empty: it can.
std::string socket_mistake(const SocketOptions& options, const Target& target);

/// An option that the kernel did not take.
struct SocketTrouble {
  std::string_view option;  ///< as it is called in the configuration
  int error = 0;
  std::string text() const;  ///< for people
};

/// Before connecting. A port is not chosen yet: that would allow each port one connection in all,
/// instead of one for each destination (ip(7), IP_BIND_ADDRESS_NO_PORT).
std::optional<SocketTrouble> set_socket_options(int fd, int family, const SocketOptions& options);

/// The first line of the PROXY protocol, version 1
/// (haproxy.org/download/2.6/doc/proxy-protocol.txt): "PROXY TCP4 192.0.2.1 192.0.2.2 51234 80",
/// and "PROXY UNKNOWN" where the two are no IP addresses of one family.
std::string proxy_line(const Endpoint& from, const Endpoint& to);

/// Sends that line on a socket that is connected and was not written to yet.
/// @return errno, or 0
int send_proxy_line(int fd);

}  // namespace ua
