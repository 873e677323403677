// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/connections.h"

namespace ua {
namespace {

constexpr std::size_t kMaxPorts = 256;  // listened-on ports with series of their own

}  // namespace

void ConnectionCount::add_listener(const DiagSocket& listener) {
  ++result_.by_state[static_cast<std::size_t>(TcpState::listen)];
  const bool known = result_.queues.contains(listener.local_port);
  if (!known && result_.queues.size() >= kMaxPorts) return;
  ListenQueue& queue = result_.queues[listener.local_port];
  result_.by_port[listener.local_port];
  if (!known || listener.receive_queue >= queue.length) {
    queue.length = listener.receive_queue;
    queue.limit = listener.send_queue;
  }
}

void ConnectionCount::add(const DiagSocket& socket) {
  const auto state = static_cast<std::size_t>(socket.state);
  if (state >= result_.by_state.size()) return;
  ++result_.by_state[state];
  const auto port = result_.by_port.find(socket.local_port);
  if (port != result_.by_port.end()) ++port->second[state];
}

Result<void> ConnectionSampler::sample(HostSnapshot& into) {
  ConnectionCount count;
  const auto listeners = listening_sockets();
  if (!listeners) return tl::unexpected(listeners.error());
  for (const DiagSocket& listener : *listeners) count.add_listener(listener);
  DiagFilter others;
  others.states &= ~(1U << static_cast<unsigned>(TcpState::listen));
  Result<void> walked =
      walk_tcp_sockets(others, [&](const DiagSocket& socket) { count.add(socket); });
  if (!walked) return walked;
  into.connections = count.result();
  return {};
}

}  // namespace ua
