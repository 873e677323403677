// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "collectors/core/epoll_loop.h"
#include "collectors/core/fake_loop.h"
#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("timers fire in order of time, equal times in order of arming") {
  FakeLoop loop;
  std::string fired;
  const Timer c = loop.after(3s, [&] { fired += 'c'; });
  const Timer a = loop.after(1s, [&] { fired += 'a'; });
  const Timer b1 = loop.after(2s, [&] { fired += 'b'; });
  const Timer b2 = loop.after(2s, [&] { fired += 'B'; });
  loop.advance(2s);
  CHECK(fired == "abB");
  loop.advance(1s);
  CHECK(fired == "abBc");
}

TEST_CASE("a dropped handle disarms, also from inside another timer's callback") {
  FakeLoop loop;
  int fired = 0;
  Timer victim = loop.after(1s, [&] { ++fired; });
  const Timer killer = loop.after(1s - 1ns, [&] { victim.cancel(); });
  {
    const Timer short_lived = loop.after(500ms, [&] { ++fired; });
  }
  loop.advance(5s);
  CHECK(fired == 0);
  CHECK(loop.timer_count() == 0);
}

TEST_CASE("a timer may re-arm itself in its callback") {
  FakeLoop loop;
  int fired = 0;
  Timer timer;
  std::function<void()> again = [&] {
    if (++fired < 3) timer = loop.after(1s, again);
  };
  timer = loop.after(1s, again);
  loop.advance(10s);
  CHECK(fired == 3);
}

TEST_CASE("a pause is seen as a stall, time that merely passes is not") {
  FakeLoop loop;
  const Timer tick = loop.after(50ms, [] {});
  loop.advance(1s);
  CHECK(loop.stalled() == 0ns);
  const Timer tick2 = loop.after(50ms, [] {});
  loop.pause(3s);
  CHECK(loop.stalled() == 2950ms);
}

TEST_CASE("the real loop runs timers, posts and watches, and ends a watch from inside itself") {
  EpollLoop loop;
  int pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0);
  const UniqueFd read_end(pipe_ends[0]);
  const UniqueFd write_end(pipe_ends[1]);
  int readable = 0;
  Watch watch;
  watch = loop.watch(read_end.get(), 1 /* EPOLLIN */, [&](std::uint32_t) {
    ++readable;  // nothing is read: without ending the watch it would fire for ever
    watch.cancel();
  });
  const Timer writer = loop.after(1ms, [&] { CHECK(write(write_end.get(), "x", 1) == 1); });
  const Timer end = loop.after(50ms, [&] { loop.post([&] { loop.stop(); }); });
  loop.run();
  CHECK(readable == 1);
}

}  // namespace
}  // namespace ua
