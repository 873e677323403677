// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/connections.h"

#include "collectors/host/proc_net.h"

namespace ua {
namespace {

constexpr std::size_t kMaxPorts = 256;  // each has up to eleven series
constexpr int kWalks = 3;

constexpr std::uint32_t kBusyStates =
    state_bit(TcpState::established) | state_bit(TcpState::time_wait);
constexpr std::uint32_t kRareStates = kAllTcpStates & ~kBusyStates & ~state_bit(TcpState::listen);

std::size_t index(TcpState state) { return static_cast<std::size_t>(state); }

std::uint64_t minus(std::uint64_t total, std::uint64_t part) {
  return total > part ? total - part : 0;  // the two were not read at one moment
}

std::optional<TcpTotals> read_totals(const std::filesystem::path& net) {
  const auto snmp = read_proc_file(net / "snmp");
  const auto sockstat = read_proc_file(net / "sockstat");
  if (!snmp || !sockstat) return std::nullopt;
  return parse_tcp_totals(*snmp, *sockstat);
}

/// Established and time_wait, after the rare states were counted.
Result<void> count_busy_states(ConnectionCount& count, const std::set<std::uint16_t>& ports,
                               const std::optional<TcpTotals>& totals) {
  if (!totals) {
    return walk_tcp_sockets({kBusyStates, {}}, [&](const DiagSocket& s) { count.add(s); });
  }
  count.set_total(TcpState::established,
                  minus(totals->established, count.total(TcpState::close_wait)));
  count.set_total(TcpState::time_wait, minus(totals->time_wait, count.fin_wait2_minis()));
  if (ports.empty()) return {};
  return walk_tcp_sockets({kBusyStates, {ports.begin(), ports.end()}},
                          [&](const DiagSocket& s) { count.add_to_port(s); });
}

}  // namespace

std::set<std::uint16_t> ports_apart(const PortsApart& ports,
                                    const std::vector<DiagSocket>& listeners) {
  std::set<std::uint16_t> result;
  for (const std::uint16_t port : ports.watched) {
    if (result.size() < kMaxPorts) result.insert(port);
  }
  if (!ports.listening) return result;
  std::set<std::uint16_t> listening;
  for (const DiagSocket& listener : listeners) listening.insert(listener.local_port);
  for (const std::uint16_t port : listening) {
    if (result.size() < kMaxPorts) result.insert(port);
  }
  return result;
}

ConnectionCount::ConnectionCount(const std::set<std::uint16_t>& ports_apart) {
  for (const std::uint16_t port : ports_apart) result_.by_port[port];
}

void ConnectionCount::add(const DiagSocket& socket) {
  if (index(socket.state) >= result_.by_state.size()) return;
  ++result_.by_state[index(socket.state)];
  if (socket.mini && socket.state == TcpState::fin_wait2) ++fin_wait2_minis_;
  add_to_port(socket);
}

void ConnectionCount::add_to_port(const DiagSocket& socket) {
  const auto port = result_.by_port.find(socket.local_port);
  if (port == result_.by_port.end() || index(socket.state) >= port->second.size()) return;
  ++port->second[index(socket.state)];
  if (socket.state == TcpState::listen) add_queue(socket);
}

void ConnectionCount::add_queue(const DiagSocket& listener) {
  const bool known = result_.queues.contains(listener.local_port);
  ListenQueue& queue = result_.queues[listener.local_port];
  if (known && listener.receive_queue < queue.length) return;
  queue.length = listener.receive_queue;
  queue.limit = listener.send_queue;
}

void ConnectionCount::set_total(TcpState state, std::uint64_t count) {
  result_.by_state[index(state)] = count;
}

std::uint64_t ConnectionCount::total(TcpState state) const {
  return result_.by_state[index(state)];
}

Result<TcpConnections> ConnectionSampler::count() const {
  const auto listeners = listening_sockets();
  if (!listeners) return tl::unexpected(listeners.error());
  const std::set<std::uint16_t> ports = ports_apart(ports_, *listeners);
  ConnectionCount count(ports);
  for (const DiagSocket& listener : *listeners) count.add(listener);
  Result<void> walked =
      walk_tcp_sockets({kRareStates, {}}, [&](const DiagSocket& socket) { count.add(socket); });
  if (walked) walked = count_busy_states(count, ports, read_totals(net_));
  if (!walked) return tl::unexpected(walked.error());
  return count.result();
}

Result<TcpConnections> ConnectionSampler::count_by_proc() const {
  std::vector<DiagSocket> listeners;
  Result<void> walked = walk_proc_tcp(net_, [&](const DiagSocket& socket) {
    if (socket.state == TcpState::listen) listeners.push_back(socket);
  });
  if (!walked) return tl::unexpected(walked.error());
  ConnectionCount count(ports_apart(ports_, listeners));
  walked = walk_proc_tcp(net_, [&](const DiagSocket& socket) { count.add(socket); });
  if (!walked) return tl::unexpected(walked.error());
  TcpConnections result = count.result();
  for (auto& [port, queue] : result.queues) queue.limit.reset();
  return result;
}

Result<void> ConnectionSampler::sample(HostSnapshot& into) {
  Result<TcpConnections> counted = count();
  for (int walk = 1; walk < kWalks && !counted && worth_another_walk(counted.error()); ++walk) {
    counted = count();
  }
  if (counted) {
    into.connections = std::move(*counted);
    return {};
  }
  Result<TcpConnections> slow = count_by_proc();
  if (!slow) return fail(counted.error().message + "; " + slow.error().message);
  into.connections = std::move(*slow);
  return fail(counted.error().message + "; counting by /proc/net/tcp, which is slow",
              counted.error().code);
}

}  // namespace ua
