// SPDX-License-Identifier: Apache-2.0
// The files of /proc/net that tell of TCP and of routes, once as the bytes are (a form feed stands
// between two files) and once as proper files of figures that the bytes give.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "collectors/core/text.h"
#include "collectors/host/connections.h"
#include "collectors/host/proc_net.h"
#include "collectors/host/routes.h"
#include "tests/fuzz/fuzz.h"

namespace ua::fuzz {
namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

std::vector<DiagSocket> sockets_of(std::string_view table) {
  std::vector<DiagSocket> result;
  for (const std::string_view line : split(table, '\n')) {
    const auto socket = parse_tcp_line(line);
    if (!socket) continue;
    expect(name(socket->state) != "unknown", "a socket has a state that the kernel knows");
    result.push_back(*socket);
  }
  return result;
}

bool listens_on(const std::vector<DiagSocket>& sockets, std::uint16_t port) {
  return std::any_of(sockets.begin(), sockets.end(),
                     [port](const DiagSocket& one) { return one.local_port == port; });
}

void check_count(const std::vector<DiagSocket>& sockets) {
  const auto ports = ports_apart({.watched = {80, 443}}, sockets);
  expect(ports.size() <= 256, "at most 256 ports are counted apart");
  expect(ports.contains(80) && ports.contains(443), "watched ports are counted apart");
  for (const std::uint16_t port : ports) {
    expect(port == 80 || port == 443 || listens_on(sockets, port), "no other port is counted");
  }
  ConnectionCount count(ports);
  for (const DiagSocket& socket : sockets) count.add(socket);
  std::uint64_t all = 0;
  for (const std::uint64_t one : count.result().by_state) all += one;
  expect(all == sockets.size(), "every socket is counted once");
  std::uint64_t apart = 0;
  for (const auto& [port, counts] : count.result().by_port) {
    expect(ports.contains(port), "only ports that were asked for are counted apart");
    for (const std::uint64_t one : counts) apart += one;
  }
  expect(apart <= all, "a socket belongs to one port");
  for (const auto& [port, queue] : count.result().queues) {
    expect(ports.contains(port), "a queue belongs to a port that is counted apart");
  }
}

void check_built_line(Input& input) {
  const auto port = static_cast<std::uint16_t>(input.word());
  const auto state = 1 + static_cast<unsigned>(input.below(kTcpStateCount));
  const auto queue = static_cast<std::uint32_t>(input.word());
  const auto uid = static_cast<std::uint32_t>(input.word());
  const auto inode = static_cast<std::uint32_t>(input.word());
  const char* const address = input.coin() ? "0100007F" : "0000000000000000FFFF00000100007F";
  const std::string line =
      format(" %4d: %s:%04X %s:0050 %02X 00000007:%08X 02:000A 00000000 %5u %8d %u 2 0000 20 4 -1",
             3, address, port, address, state, queue, uid, 0, inode);
  const auto socket = parse_tcp_line(line);
  expect(socket.has_value(), "a socket of the kernel's is read");
  expect(socket->local_port == port && static_cast<unsigned>(socket->state) == state &&
             socket->receive_queue == queue && socket->uid == uid && socket->inode == inode,
         "a socket is read as it was written");
}

/// With a column and a protocol more than we ask for, before and after.
void check_built_totals(Input& input) {
  const unsigned long long established = input.word();
  const unsigned long long time_wait = input.word();
  const std::string snmp =
      format("Icmp: CurrEstab\nIcmp: 1\nTcp: MaxConn CurrEstab InErrs\nTcp: -1 %llu 3\nUdp: x\n",
             established);
  const std::string sockstat =
      format("sockets: used 5\nTCP: inuse 4 tw %llu alloc 5\nUDP: inuse 1 tw 2\n", time_wait);
  const auto totals = parse_tcp_totals(snmp, sockstat);
  expect(totals && totals->established == established && totals->time_wait == time_wait,
         "totals are read as they were written");
}

void check_built_route(Input& input) {
  const unsigned flags = static_cast<unsigned>(input.word()) & 0xffffU;
  constexpr unsigned kUp = 1;
  constexpr unsigned kReject = 0x200;
  const bool leads_out = (flags & kUp) != 0 && (flags & kReject) == 0;
  const auto prefix = static_cast<unsigned>(input.byte());
  const std::string heading = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\n";
  const std::string v4 = format("%seth0\t00000000\t010011AC\t%04X\t0\t0\t0\t%08X\t0\t0\t0\n",
                                heading.c_str(), flags, prefix == 0 ? 0U : 0xffU);
  expect(has_default_route(v4, "") == (leads_out && prefix == 0), "an IPv4 default route is seen");
  const std::string zeros(32, '0');
  const std::string v6 = format("%s %02x %s 00 %s 00000400 00000001 00000000 %08x eth0\n",
                                zeros.c_str(), prefix, zeros.c_str(), zeros.c_str(), flags);
  expect(has_default_route(heading, v6) == (leads_out && prefix == 0),
         "an IPv6 default route is seen");
}

}  // namespace

void tcp_tables(std::string_view bytes) {
  const std::size_t half = std::min(bytes.find('\f'), bytes.size());
  const std::string_view first = bytes.substr(0, half);
  const std::string_view second = bytes.substr(half);
  const bool way_out = has_default_route(first, second);
  expect(!way_out || has_default_route(std::string(first) + "\nx", std::string(second) + "\nx"),
         "a line more takes no route away");
  if (parse_tcp_totals(first, second)) {
    expect(first.find("Tcp:") != std::string_view::npos &&
               second.find("TCP:") != std::string_view::npos,
           "totals come from TCP's lines");
  }
  check_count(sockets_of(bytes));
  Input input(bytes);
  check_built_line(input);
  check_built_totals(input);
  check_built_route(input);
}

}  // namespace ua::fuzz
