// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/ephemeral_ports.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "collectors/core/text.h"
#include "collectors/host/proc_net.h"

namespace ua {
namespace {

constexpr int kWalks = 3;

/// Of local address, remote address and remote port.
std::uint64_t destination_of(const DiagSocket& socket) {
  std::array<char, 34> key{};
  std::memcpy(key.data(), socket.local.data(), 16);
  std::memcpy(key.data() + 16, socket.remote.data(), 16);
  std::memcpy(key.data() + 32, &socket.remote_port, 2);
  return stable_hash({key.data(), key.size()});
}

std::uint64_t longest_run(std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  std::uint64_t longest = 0;
  for (auto at = values.begin(); at != values.end();) {
    const auto next = std::upper_bound(at, values.end(), *at);
    longest = std::max(longest, static_cast<std::uint64_t>(next - at));
    at = next;
  }
  return longest;
}

Result<void> walk(PortRange range, const PortSet& reserved, EphemeralPortCount& count) {
  Result<void> walked;
  for (int attempt = 0; attempt < kWalks; ++attempt) {
    count = EphemeralPortCount(range, reserved);
    walked = walk_tcp_sockets({kAllTcpStates, {}, range},
                              [&](const DiagSocket& socket) { count.add(socket); });
    if (walked || !worth_another_walk(walked.error())) break;
  }
  return walked;
}

}  // namespace

Result<PortRange> parse_port_range(std::string_view range) {
  const auto fields = words(trim(range));
  if (fields.size() != 2) return fail("ip_local_port_range: expected two ports");
  const auto first = number<std::uint16_t>(fields[0]);
  const auto last = number<std::uint16_t>(fields[1]);
  if (!first || !last || *first > *last) return fail("ip_local_port_range: not a range");
  return PortRange{*first, *last};
}

Result<PortSet> parse_port_list(std::string_view list) {
  PortSet result;
  if (trim(list).empty()) return result;
  for (const std::string_view part : split(trim(list), ',')) {
    const std::size_t dash = part.find('-');
    const auto first = number<std::uint16_t>(part.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : number<std::uint16_t>(part.substr(dash + 1));
    if (!first || !last) return fail("ip_local_reserved_ports: not a port");
    for (std::size_t port = *first; port <= *last; ++port) result.set(port);
  }
  return result;
}

EphemeralPortCount::EphemeralPortCount(PortRange range, const PortSet& reserved) {
  for (std::size_t port = range.first; port <= range.last; ++port) available_.set(port);
  available_ &= ~reserved;
}

void EphemeralPortCount::add(const DiagSocket& socket) {
  if (!available_.test(socket.local_port)) return;
  used_.set(socket.local_port);
  if (socket.state != TcpState::listen) destinations_.push_back(destination_of(socket));
}

EphemeralPorts EphemeralPortCount::result() const {
  return {available_.count(), used_.count(), longest_run(destinations_)};
}

Result<void> EphemeralPortSampler::count_by_proc(EphemeralPortCount& count) const {
  return walk_proc_tcp(proc_ / "net", [&](const DiagSocket& socket) { count.add(socket); });
}

Result<void> EphemeralPortSampler::sample(HostSnapshot& into) {
  const auto ipv4 = proc_ / "sys" / "net" / "ipv4";
  const auto range = read_proc_file(ipv4 / "ip_local_port_range").and_then(parse_port_range);
  if (!range) return tl::unexpected(range.error());
  auto reserved = read_proc_file(ipv4 / "ip_local_reserved_ports").and_then(parse_port_list);
  if (!reserved && reserved.error().code == ENOENT) reserved = PortSet{};  // Linux before 3.16
  if (!reserved) return tl::unexpected(reserved.error());
  EphemeralPortCount count(*range, *reserved);
  const Result<void> walked = walk(*range, *reserved, count);
  if (walked) {
    into.ports = count.result();
    return {};
  }
  count = EphemeralPortCount(*range, *reserved);
  const Result<void> slow = count_by_proc(count);
  if (!slow) return fail(walked.error().message + "; " + slow.error().message);
  into.ports = count.result();
  into.ports->busiest_destination.reset();  // this table's addresses are not read
  return fail(walked.error().message + "; counting by /proc/net/tcp, which is slow",
              walked.error().code);
}

}  // namespace ua
