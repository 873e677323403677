// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/epoll_loop.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "collectors/core/unique_fd.h"
#include "tests/catch.h"

namespace ua {
namespace {

struct Pair {
  UniqueFd ours;
  UniqueFd theirs;
  Pair() {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    ours.reset(fds[0]);
    theirs.reset(fds[1]);
  }
};

TEST_CASE("what came in while a callback ran long is seen before a deadline passes on it") {
  EpollLoop loop;
  const Pair pair;
  std::vector<std::string> order;
  Watch watch = loop.watch(pair.ours.get(), EPOLLIN, [&](std::uint32_t) {
    order.emplace_back("answer");
    watch.cancel();
  });
  Duration seen{};
  Timer deadline = loop.after(50ms, [&] {
    order.emplace_back("deadline");
    seen = loop.stalled();
    loop.stop();
  });
  loop.post([&] {
    CHECK(::write(pair.theirs.get(), "x", 1) == 1);
    const Time end = loop.now() + 400ms;
    while (loop.now() < end) std::this_thread::yield();
  });
  loop.run();
  CHECK(order == std::vector<std::string>{"answer", "deadline"});
  CHECK(seen >= 300ms);  // and the deadline's callback can tell that it was held up
}

TEST_CASE("one hold-up is counted once") {
  EpollLoop loop;
  std::vector<Timer> timers;
  for (int i = 0; i < 20; ++i) timers.push_back(loop.after(10ms, [] {}));
  const Time begin = loop.now();
  loop.post([&] {
    while (loop.now() < begin + 300ms) std::this_thread::yield();
  });
  timers.push_back(loop.after(310ms, [&] { loop.stop(); }));
  loop.run();
  const Duration whole = loop.now() - begin;
  CHECK(loop.stalled() >= 250ms);
  CHECK(loop.stalled() <= whole);
}

}  // namespace
}  // namespace ua
