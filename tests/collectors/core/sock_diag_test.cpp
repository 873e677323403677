// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>

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

template <typename T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// A netlink message that says it is `length` bytes long.
std::string message(std::uint16_t type, std::uint32_t length, std::string_view payload) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_len = length;
  std::string bytes;
  append(bytes, header);
  return bytes.append(payload);
}

/// One that ends a dump with this number.
std::string done(int error) {
  std::string payload;
  append(payload, error);
  return message(NLMSG_DONE, 20, payload);
}

std::string socket_message(std::uint16_t port) {
  inet_diag_msg body{};
  body.idiag_family = AF_INET;
  body.idiag_state = static_cast<std::uint8_t>(TcpState::listen);
  body.id.idiag_sport = htons(port);
  std::string payload;
  append(payload, body);
  return message(SOCK_DIAG_BY_FAMILY, 16 + sizeof body, payload);
}

struct Answer {
  std::vector<std::uint16_t> ports;
  Result<bool> more;
};

Answer read(const std::string& bytes) {
  Answer answer;
  const std::vector<char> exact(bytes.begin(), bytes.end());  // so that a read past it is seen
  answer.more = read_diag_messages({exact.data(), exact.size()}, [&](const DiagSocket& socket) {
    answer.ports.push_back(socket.local_port);
  });
  return answer;
}

}  // namespace

TEST_CASE("the kernel looks at a range of ports, both ends within") {
  std::vector<std::vector<std::uint16_t>> found;
  if (!test::in_fresh_network([&] {
        std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "20000 20003";
        std::vector<Listener> listeners;  // on each of the four
        for (int i = 0; i < 4; ++i) listeners.emplace_back(AF_INET, 1);
        for (const PortRange range : {PortRange{20001, 20002}, PortRange{20002, 20002},
                                      PortRange{1, 20000}, PortRange{20003, 65535}}) {
          auto& ports = found.emplace_back();
          const auto walked = walk_tcp_sockets(
              {kAllTcpStates, {}, range},
              [&](const DiagSocket& socket) { ports.push_back(socket.local_port); });
          test::require(walked.has_value(), "walk");
          std::sort(ports.begin(), ports.end());
        }
      })) {
    WARN("skipped: making a network namespace needs CAP_SYS_ADMIN");
    return;
  }
  using Ports = std::vector<std::uint16_t>;
  CHECK(found == std::vector<Ports>{{20001, 20002}, {20002}, {20000}, {20003}});
}

TEST_CASE("messages of the kernel are read one by one, wherever they stand") {
  const Answer two = read(socket_message(80) + socket_message(443));
  CHECK(two.ports == std::vector<std::uint16_t>{80, 443});
  CHECK(*two.more);
  const Answer last = read(socket_message(80) + done(0) + socket_message(443));
  CHECK(last.ports == std::vector<std::uint16_t>{80});
  CHECK_FALSE(*last.more);
  CHECK(*read("").more);
  CHECK(*read("cut").more);
}

TEST_CASE("an error of the kernel has its number, whatever that is") {
  CHECK(read(done(-ENOENT)).more.error().code == ENOENT);
  CHECK(read(done(std::numeric_limits<int>::min())).more.error().code == EPROTO);
  CHECK(read(done(5)).more.error().code == EPROTO);
}

TEST_CASE("a message longer than what was received is not read") {
  // 17 bytes: the next message would stand behind the end, and the count of what is left wraps.
  CHECK(*read(message(0, 17, "x")).more);
  for (const std::uint32_t length : {0U, 15U, 18U, 0xffffffffU}) {
    INFO(length);
    const Answer answer = read(socket_message(80) + message(SOCK_DIAG_BY_FAMILY, length, "x"));
    CHECK(answer.ports == std::vector<std::uint16_t>{80});
    REQUIRE_FALSE(answer.more);
    CHECK(answer.more.error().code == EMSGSIZE);
  }
}

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
