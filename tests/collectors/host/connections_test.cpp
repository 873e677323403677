// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/connections.h"

#include <list>

#include "collectors/host/proc_net.h"
#include "tests/catch.h"
#include "tests/loopback.h"

using namespace ua;
using test::Listener;

namespace {

std::uint64_t count_of(const StateCounts& counts, TcpState state) {
  return counts[static_cast<std::size_t>(state)];
}

DiagSocket listener_on(std::uint16_t port, std::uint32_t queue = 0, std::uint32_t limit = 128) {
  DiagSocket result;
  result.state = TcpState::listen;
  result.local_port = port;
  result.receive_queue = queue;
  result.send_queue = limit;
  return result;
}

/// Connections in every state that a test can hold still.
class Traffic {
 public:
  Traffic() {
    for (int i = 0; i < 240; ++i) pair(four_);
    for (int i = 0; i < 60; ++i) pair(six_);
    auto it = pairs_.begin();
    for (int i = 0; i < 30; ++i, ++it)
      shutdown(it->client.get(), SHUT_WR);                  // fin_wait2, close_wait
    for (int i = 0; i < 20; ++i, ++it) it->client.reset();  // a fin_wait2 mini socket, close_wait
    for (int i = 0; i < 40; ++i, ++it) {
      it->client.reset();
      it->server.reset();  // time_wait
    }
    queued_.push_back(full_.connect());
    for (int i = 0; i < 5; ++i) queued_.push_back(full_.connect());  // syn_sent
  }
  const Listener& four() const { return four_; }
  const Listener& six() const { return six_; }
  const Listener& full() const { return full_; }

 private:
  struct Pair {
    UniqueFd client;
    UniqueFd server;
  };
  void pair(const Listener& listener) {
    Pair made{listener.connect(), {}};
    made.server = listener.accept();
    test::require(made.server.get() >= 0, "accept");
    pairs_.push_back(std::move(made));
  }

  Listener four_{AF_INET, 16};
  Listener six_{AF_INET6, 16};
  Listener full_{AF_INET, 0};
  std::list<Pair> pairs_;
  std::list<UniqueFd> queued_;
};

/// The peer acknowledges a FIN up to 40 ms late.
void wait_until_all_fins_are_acknowledged() {
  for (int i = 0; i < 500; ++i) {
    bool waiting = false;
    const auto walked = walk_tcp_sockets({state_bit(TcpState::fin_wait1), {}},
                                         [&](const DiagSocket&) { waiting = true; });
    test::require(walked.has_value(), "walk");
    if (!waiting) return;
    std::this_thread::sleep_for(10ms);
  }
  throw std::runtime_error("some connection stays in fin_wait1");
}

struct Counts {
  TcpConnections sampled;
  TcpConnections all;   // every socket, one by one
  TcpConnections proc;  // /proc/net/tcp and tcp6
  std::uint16_t four = 0, six = 0, full = 0;
};

Counts count_in_traffic() {
  const Traffic traffic;
  wait_until_all_fins_are_acknowledged();
  Counts result;
  result.four = traffic.four().port();
  result.six = traffic.six().port();
  result.full = traffic.full().port();
  HostSnapshot snapshot;
  ConnectionSampler sampler("/proc/thread-self", {});
  const auto sampled = sampler.sample(snapshot);
  test::require(sampled.has_value(), "sample");
  result.sampled = *snapshot.connections;

  const std::set<std::uint16_t> ports{result.four, result.six, result.full};
  ConnectionCount all(ports);
  ConnectionCount proc(ports);
  const auto walked = walk_tcp_sockets({}, [&](const DiagSocket& s) { all.add(s); });
  const auto read =
      walk_proc_tcp("/proc/thread-self/net", [&](const DiagSocket& s) { proc.add(s); });
  test::require(walked && read, "walk");
  result.all = all.result();
  result.proc = proc.result();
  return result;
}

}  // namespace

TEST_CASE("counting few sockets gives what counting all of them gives") {
  Counts counts;
  if (!test::in_fresh_network([&] { counts = count_in_traffic(); })) {
    WARN("skipped: making a network namespace needs CAP_SYS_ADMIN");
    return;
  }
  const TcpConnections& sampled = counts.sampled;
  CHECK(sampled.by_state == counts.all.by_state);
  CHECK(sampled.by_state == counts.proc.by_state);
  CHECK(sampled.by_port == counts.all.by_port);
  CHECK(sampled.by_port == counts.proc.by_port);

  CHECK(count_of(sampled.by_state, TcpState::established) == 2 * (300 - 90) + 2);
  CHECK(count_of(sampled.by_state, TcpState::fin_wait2) == 50);
  CHECK(count_of(sampled.by_state, TcpState::close_wait) == 50);
  CHECK(count_of(sampled.by_state, TcpState::time_wait) == 40);
  CHECK(count_of(sampled.by_state, TcpState::syn_sent) == 5);
  CHECK(count_of(sampled.by_state, TcpState::listen) == 3);

  const StateCounts& six = sampled.by_port.at(counts.six);
  CHECK(count_of(six, TcpState::established) == 60);
  CHECK(count_of(six, TcpState::listen) == 1);
  const StateCounts& four = sampled.by_port.at(counts.four);
  CHECK(count_of(four, TcpState::established) == 150);
  CHECK(count_of(four, TcpState::close_wait) == 50);
  CHECK(sampled.queues.at(counts.full).length == 1);
  CHECK(sampled.queues.at(counts.full).limit == 0U);
}

TEST_CASE("without sock_diag connections are still counted, and the sampler fails") {
  const Listener listener(AF_INET, 8);
  const UniqueFd client = listener.connect();
  HostSnapshot snapshot;
  Result<void> sampled;
  test::without_netlink([&] { sampled = ConnectionSampler("/proc", {}).sample(snapshot); });
  REQUIRE_FALSE(sampled);
  CHECK(sampled.error().message ==
        "sock_diag: Address family not supported by protocol; counting by /proc/net/tcp, which is "
        "slow");
  REQUIRE(snapshot.connections);
  const StateCounts& port = snapshot.connections->by_port.at(listener.port());
  CHECK(count_of(port, TcpState::listen) == 1);
  CHECK(count_of(port, TcpState::established) == 1);
  const ListenQueue& queue = snapshot.connections->queues.at(listener.port());
  CHECK(queue.length == 1);
  CHECK_FALSE(queue.limit);
}

TEST_CASE("with neither sock_diag nor /proc/net/tcp nothing is counted") {
  HostSnapshot snapshot;
  Result<void> sampled;
  test::without_netlink([&] { sampled = ConnectionSampler("/nowhere", {}).sample(snapshot); });
  REQUIRE_FALSE(sampled);
  CHECK_FALSE(snapshot.connections);
}

TEST_CASE("without the totals of /proc/net every socket is counted") {
  const Listener listener(AF_INET, 8);
  const UniqueFd client = listener.connect();
  HostSnapshot snapshot;
  REQUIRE(ConnectionSampler("/nowhere", {}).sample(snapshot));
  CHECK(count_of(snapshot.connections->by_state, TcpState::established) >= 2);
  CHECK(count_of(snapshot.connections->by_port.at(listener.port()), TcpState::established) == 1);
}

TEST_CASE("a watched port is counted while nothing listens on it") {
  std::uint16_t port = 0;
  {
    const Listener listener(AF_INET, 1);
    port = listener.port();
  }
  HostSnapshot snapshot;
  REQUIRE(ConnectionSampler("/proc", {{port}}).sample(snapshot));
  CHECK(count_of(snapshot.connections->by_port.at(port), TcpState::listen) == 0);
  CHECK_FALSE(snapshot.connections->queues.contains(port));
}

TEST_CASE("at most 256 ports are counted apart, the watched ones first") {
  std::vector<DiagSocket> listeners;
  for (std::uint16_t port = 1000; port < 2000; ++port) listeners.push_back(listener_on(port));
  const auto ports = ports_apart({{60000, 1005}}, listeners);
  CHECK(ports.size() == 256);
  CHECK(ports.contains(60000));
  CHECK(ports.contains(1000));
  CHECK(ports.contains(1254));
  CHECK_FALSE(ports.contains(1255));
}

TEST_CASE("ports that are listened on can be left out") {
  const Listener listener(AF_INET, 8);
  HostSnapshot snapshot;
  REQUIRE(ConnectionSampler("/proc", {{9}, false}).sample(snapshot));
  REQUIRE(snapshot.connections->by_port.size() == 1);
  CHECK(snapshot.connections->by_port.contains(9));
  CHECK(snapshot.connections->queues.empty());
  CHECK(count_of(snapshot.connections->by_state, TcpState::listen) >= 1);
}

TEST_CASE("the queue of a port is that of its fullest listener") {
  ConnectionCount count({80});
  count.add(listener_on(80, 0, 10));
  count.add(listener_on(80, 7, 20));
  count.add(listener_on(80, 3, 30));
  count.add(listener_on(81, 9, 40));
  const auto& queues = count.result().queues;
  REQUIRE(queues.size() == 1);
  CHECK(queues.at(80).length == 7);
  CHECK(queues.at(80).limit == 20U);
  CHECK(count_of(count.result().by_state, TcpState::listen) == 4);
  CHECK(count_of(count.result().by_port.at(80), TcpState::listen) == 3);
}

TEST_CASE("a state that the kernel may add one day is not counted and does no harm") {
  ConnectionCount count({80});
  DiagSocket socket = listener_on(80);
  socket.state = static_cast<TcpState>(200);
  count.add(socket);
  CHECK(count.result().by_state == StateCounts{});
}
