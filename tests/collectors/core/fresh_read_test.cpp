// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/fresh_read.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "collectors/core/epoll_loop.h"
#include "tests/catch.h"

namespace ua {
namespace {

using Strings = std::vector<std::string>;

/// Runs the loop until the jobs given to `worker` so far are done.
void run_jobs(EpollLoop& loop, Worker& worker) {
  REQUIRE(worker.run([&loop]() -> Worker::Then { return [&loop] { loop.stop(); }; }));
  loop.run();
}

TEST_CASE("who asks while it is being read waits, and all get what was read") {
  EpollLoop loop;
  Worker worker(loop, 10);
  FreshRead<std::string> file("first");
  Strings seen;
  auto reads = std::make_shared<std::atomic<int>>(0);
  const auto read = [reads] { return "read " + std::to_string(++*reads); };
  for (int i = 0; i < 3; ++i) {
    file.get(worker, Time(10s), read, [&](const std::string& text) { seen.push_back(text); });
  }
  CHECK(seen.empty());
  run_jobs(loop, worker);
  CHECK(seen == Strings{"read 1", "read 1", "read 1"});
  CHECK(file.last() == "read 1");
}

TEST_CASE("what was read holds for a second, from the question on") {
  EpollLoop loop;
  Worker worker(loop, 10);
  FreshRead<std::string> file("first");
  Strings seen;
  auto reads = std::make_shared<std::atomic<int>>(0);
  const auto read = [reads] { return "read " + std::to_string(++*reads); };
  const auto then = [&](const std::string& text) { seen.push_back(text); };
  file.get(worker, Time(10s), read, then);
  run_jobs(loop, worker);
  file.get(worker, Time(11s) - 1ns, read, then);
  CHECK(seen == Strings{"read 1", "read 1"});
  file.get(worker, Time(11s), read, then);
  CHECK(seen.size() == 2);
  run_jobs(loop, worker);
  CHECK(seen == Strings{"read 1", "read 1", "read 2"});
}

TEST_CASE("while reading takes more than a second, what was there before is given") {
  EpollLoop loop;
  auto release = std::make_shared<std::promise<void>>();
  std::shared_future<void> released = release->get_future().share();
  Worker worker(loop, 10);
  FreshRead<std::string> file("first");
  Strings seen;
  const auto read = [released] {
    released.wait();
    return std::string("late");
  };
  const auto then = [&](const std::string& text) { seen.push_back(text); };
  file.get(worker, Time(10s), read, then);
  file.get(worker, Time(11s) - 1ns, read, then);
  CHECK(seen.empty());
  file.get(worker, Time(11s), read, then);
  CHECK(seen == Strings{"first"});
  release->set_value();
  run_jobs(loop, worker);
  CHECK(seen == Strings{"first", "late", "late"});
}

TEST_CASE("a busy worker means what was there before, and a later question is read for") {
  EpollLoop loop;
  auto release = std::make_shared<std::promise<void>>();
  std::shared_future<void> released = release->get_future().share();
  Worker worker(loop, 0);
  FreshRead<std::string> file("first");
  Strings seen;
  const auto read = [] { return std::string("read"); };
  const auto then = [&](const std::string& text) { seen.push_back(text); };
  std::promise<void> begun;
  REQUIRE(worker.run([&begun, released, &loop]() -> Worker::Then {
    begun.set_value();
    released.wait();
    return [&loop] { loop.stop(); };
  }));
  begun.get_future().wait();
  file.get(worker, Time(10s), read, then);
  CHECK(seen == Strings{"first"});
  release->set_value();
  loop.run();
  const auto then_stop = [&](const std::string& text) {
    seen.push_back(text);
    loop.stop();
  };
  file.get(worker, Time(10s), read, then_stop);
  loop.run();
  CHECK(seen == Strings{"first", "read"});
}

TEST_CASE("nothing comes back to one that is gone") {
  EpollLoop loop;
  Worker worker(loop, 10);
  {
    FreshRead<std::string> file("first");
    file.get(
        worker, Time(10s), [] { return std::string("read"); },
        [](const std::string&) { FAIL("its owner is gone"); });
  }
  run_jobs(loop, worker);
}

}  // namespace
}  // namespace ua
