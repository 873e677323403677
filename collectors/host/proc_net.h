// SPDX-License-Identifier: Apache-2.0
// TCP as /proc/net tells it: two totals that cost nothing, and the table of sockets, which is slow
// and stands in where the kernel has no sock_diag. Sampling thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "collectors/core/result.h"
#include "collectors/core/sock_diag.h"

namespace ua {

/// A counter of /proc/net/snmp or netstat: a line of names, then a line of values, each beginning
/// with the protocol ("Tcp:").
std::optional<std::uint64_t> named_value(std::string_view content, std::string_view protocol,
                                         std::string_view name);

/// Of IPv4 and IPv6 together.
struct TcpTotals {
  std::uint64_t established = 0;  ///< close_wait included (RFC 4022, tcpCurrEstab)
  std::uint64_t time_wait = 0;    ///< mini sockets in fin_wait2 included
};

/// @param snmp, sockstat the files of these names in /proc/net
std::optional<TcpTotals> parse_tcp_totals(std::string_view snmp, std::string_view sockstat);

/// A line of /proc/net/tcp or tcp6: state, local port, receive queue, uid, inode; the address is
/// left out. nullopt for the heading and for anything else.
std::optional<DiagSocket> parse_tcp_line(std::string_view line);

/// @param net /proc/net
Result<void> walk_proc_tcp(const std::filesystem::path& net,
                           const std::function<void(const DiagSocket&)>& visit);

}  // namespace ua
