// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/worker.h"

#include <future>
#include <memory>
#include <vector>

#include "collectors/core/epoll_loop.h"
#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("jobs run off the loop, in order, and go on on it") {
  EpollLoop loop;
  Worker worker(loop, 10);
  const auto here = std::this_thread::get_id();
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    CHECK(worker.run([&, i]() -> Worker::Then {
      const auto there = std::this_thread::get_id();
      return [&, i, there] {
        CHECK(there != here);
        CHECK(std::this_thread::get_id() == here);
        order.push_back(i);
        if (i == 2) loop.stop();
      };
    }));
  }
  loop.run();
  CHECK(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("a job that hangs fills the line, then the worker says so") {
  EpollLoop loop;
  auto release = std::make_shared<std::promise<void>>();
  std::shared_future<void> released = release->get_future().share();
  Worker worker(loop, 2);
  CHECK(worker.run([released]() -> Worker::Then {
    released.wait();
    return {};
  }));
  CHECK(worker.run([]() -> Worker::Then { return {}; }));
  CHECK(worker.run([]() -> Worker::Then { return {}; }));
  CHECK_FALSE(worker.run([]() -> Worker::Then { return {}; }));
  release->set_value();
}

TEST_CASE("a worker ends although its job hangs, and nothing of it comes back") {
  EpollLoop loop;
  auto begun = std::make_shared<std::promise<void>>();
  auto release = std::make_shared<std::promise<void>>();
  auto finished = std::make_shared<std::promise<void>>();
  {
    Worker worker(loop, 2);
    CHECK(worker.run([begun, release, finished]() -> Worker::Then {
      begun->set_value();
      release->get_future().wait();
      finished->set_value();
      return [] { FAIL("its owner is gone"); };
    }));
    begun->get_future().wait();
  }  // leaves the thread behind
  release->set_value();
  finished->get_future().wait();
  Timer end = loop.after(50ms, [&] { loop.stop(); });
  loop.run();
}

}  // namespace
}  // namespace ua
