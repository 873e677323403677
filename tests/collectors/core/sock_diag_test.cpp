// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/sock_diag.h"

#include <algorithm>

#include "tests/catch.h"
#include "tests/loopback.h"

using namespace ua;
using test::Listener;

namespace {

std::vector<DiagSocket> walk(const DiagFilter& filter) {
  std::vector<DiagSocket> result;
  const auto walked =
      walk_tcp_sockets(filter, [&](const DiagSocket& socket) { result.push_back(socket); });
  REQUIRE(walked);
  return result;
}

}  // namespace

TEST_CASE("sock_diag shows a listener's full accept queue") {
  const Listener listener(AF_INET, 0);
  const UniqueFd first = listener.connect();
  const UniqueFd second = listener.connect();

  const auto found = listening_sockets(listener.port());
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  const DiagSocket& socket = found->front();
  CHECK(socket.family == AF_INET);
  CHECK(socket.state == TcpState::listen);
  CHECK(socket.local_port == listener.port());
  CHECK(socket.local[0] == 127);
  CHECK(socket.local[3] == 1);
  CHECK(socket.receive_queue == 1);  // a backlog of 0 holds one
  CHECK(socket.send_queue == 0);
  CHECK(socket.uid == geteuid());
  CHECK(socket.inode != 0);

  // The second is not in the queue: its SYN goes unanswered.
  const auto clients = walk({state_bit(TcpState::syn_sent), {}});
  CHECK(clients.size() >= 1);
}

TEST_CASE("sock_diag walks IPv4 and IPv6 listeners in one go") {
  const Listener four(AF_INET, 5);
  const Listener six(AF_INET6, 7);
  const auto found = listening_sockets();
  REQUIRE(found);
  const auto limit_of = [&](const Listener& listener, int family) {
    const auto it = std::find_if(found->begin(), found->end(), [&](const DiagSocket& socket) {
      return socket.local_port == listener.port() && socket.family == family;
    });
    return it == found->end() ? 0U : it->send_queue;
  };
  CHECK(limit_of(four, AF_INET) == 5);
  CHECK(limit_of(six, AF_INET6) == 7);
}

TEST_CASE("the kernel's port filter keeps the ports that were asked for, however many") {
  std::vector<std::unique_ptr<Listener>> wanted;
  std::vector<std::unique_ptr<Listener>> others;
  const std::size_t count = GENERATE(1, 2, 3, 7, 40);
  for (std::size_t i = 0; i < count; ++i) {
    wanted.push_back(std::make_unique<Listener>(i % 2 == 0 ? AF_INET : AF_INET6, 4));
    others.push_back(std::make_unique<Listener>(AF_INET, 4));
  }
  DiagFilter filter{state_bit(TcpState::listen), {}};
  for (const auto& listener : wanted) filter.local_ports.push_back(listener->port());
  filter.local_ports.push_back(wanted[0]->port());  // twice is no mistake

  std::vector<std::uint16_t> found;
  for (const DiagSocket& socket : walk(filter)) found.push_back(socket.local_port);
  std::sort(found.begin(), found.end());
  std::vector<std::uint16_t> expected;
  expected.reserve(wanted.size());
  for (const auto& listener : wanted) expected.push_back(listener->port());
  std::sort(expected.begin(), expected.end());
  CHECK(found == expected);
}

TEST_CASE("the kernel takes a filter of 2000 ports") {
  const Listener listener(AF_INET, 4);
  DiagFilter filter{state_bit(TcpState::listen), {}};
  for (std::uint16_t port = 1; port < 2000; ++port) filter.local_ports.push_back(port);
  filter.local_ports.push_back(listener.port());
  const auto found = walk(filter);
  CHECK(std::any_of(found.begin(), found.end(), [&](const DiagSocket& socket) {
    return socket.local_port == listener.port();
  }));
}

TEST_CASE("sock_diag answers with nothing where nothing matches") {
  std::uint16_t port = 0;
  {
    const Listener listener(AF_INET, 1);
    port = listener.port();
  }
  const auto found = listening_sockets(port);
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("without netlink the walk fails and says why") {
  Result<std::vector<DiagSocket>> found;
  test::without_netlink([&] { found = listening_sockets(); });
  REQUIRE_FALSE(found);
  CHECK(found.error().code == EAFNOSUPPORT);
  CHECK(found.error().message == "sock_diag: Address family not supported by protocol");
  CHECK_FALSE(worth_another_walk(found.error()));
}

TEST_CASE("states have the kernel's names") {
  CHECK(name(TcpState::established) == "established");
  CHECK(name(TcpState::closing) == "closing");
  CHECK(name(static_cast<TcpState>(12)) == "unknown");
}
