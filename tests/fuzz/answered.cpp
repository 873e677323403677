// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/answered.h"

#include <sys/socket.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "collectors/core/epoll_loop.h"
#include "collectors/probes/probe_engine.h"
#include "tests/fuzz/fuzz.h"
#include "tests/loopback.h"

namespace ua::fuzz {
namespace {

struct Bench {
  test::Listener server{AF_INET, 8};
  EpollLoop loop;
  ProbeEngine engine{loop};
};

void fill(int fd, std::string_view answer) {
  if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
      static_cast<ssize_t>(answer.size())) {
    throw std::runtime_error("the socket does not take the answer");
  }
  ::shutdown(fd, SHUT_WR);
}

/// Its closing is a reset, since thousands a second would leave the kernel with as many sockets in
/// TIME_WAIT.
UniqueFd connect_to(const test::Listener& server) {
  UniqueFd fd = server.connect();
  constexpr linger kReset{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &kReset, sizeof kReset);
  return fd;
}

}  // namespace

ProbeResult probe_answered(const ProbeMaker& maker, const Target& target, std::string_view answer) {
  static Bench bench;
  UniqueFd ours = connect_to(bench.server);
  const UniqueFd peer = bench.server.accept();
  fill(peer.get(), answer);
  // Nothing listens there, should the probe open a connection of its own.
  Connection connection{std::move(ours), *ip_endpoint("127.0.0.1", 1), bench.loop.now()};
  const auto running = maker(bench.engine, target);
  std::vector<ProbeResult> results;
  running->start(std::move(connection), [&](ProbeResult result) {
    results.push_back(std::move(result));
    bench.loop.stop();
  });
  const Timer deadline = bench.loop.after(3s, [] { bench.loop.stop(); });
  bench.loop.run();
  expect(results.size() == 1, "a probe whose peer has closed ends, and ends once");
  return std::move(results[0]);
}

}  // namespace ua::fuzz
