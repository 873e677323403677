// SPDX-License-Identifier: Apache-2.0
#include "agent/reload.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "agent/signals.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/fake_loop.h"
#include "tests/catch.h"

namespace ua {
namespace {

/// A load that hangs until it is told otherwise; shared with the worker, which may outlive a test.
struct Gate {
  std::promise<void> entered;
  std::promise<void> open;
};

LoadResult loaded_with(std::uint64_t memory_bound) {
  Loaded loaded;
  loaded.memory_bound = memory_bound;
  return loaded;
}

Reloader::Surroundings surroundings(Reloader::Load load,
                                    std::function<Result<std::string>(LoadResult)> finish) {
  return {[load = std::move(load)] { return load; }, [] {}, std::move(finish)};
}

TEST_CASE("a load runs on a worker, and what it found is put into use on the loop") {
  EpollLoop loop;
  const auto here = std::this_thread::get_id();
  const auto load = [here]() -> LoadResult {
    return loaded_with(std::this_thread::get_id() != here ? 1 : 2);
  };
  std::vector<std::string> order;
  Reloader::Surroundings around;
  around.begin = [&] {
    order.emplace_back("begin");
    return load;
  };
  around.finish = [&](LoadResult loaded) -> Result<std::string> {
    CHECK(std::this_thread::get_id() == here);
    CHECK(loaded->memory_bound == 1);
    order.emplace_back("finish");
    return {};
  };
  Reloader reloader(loop, std::move(around));
  reloader.request([&](const Result<std::string>& result) {
    CHECK(result);
    order.emplace_back("done");
    loop.stop();
  });
  loop.run();
  CHECK(order == std::vector<std::string>{"begin", "finish", "done"});
}

TEST_CASE("requests made while a load runs share one more load") {
  EpollLoop loop;
  auto gate = std::make_shared<Gate>();
  auto loads = std::make_shared<std::atomic<int>>(0);
  const auto load = [gate, loads]() -> LoadResult {
    const int number = ++*loads;
    if (number == 1) {
      gate->entered.set_value();
      gate->open.get_future().wait();
    }
    return loaded_with(static_cast<std::uint64_t>(number));
  };
  std::uint64_t in_use = 0;
  Reloader reloader(loop, surroundings(load, [&](LoadResult loaded) -> Result<std::string> {
                      in_use = loaded->memory_bound;
                      return {};
                    }));
  std::vector<std::pair<int, std::uint64_t>> answers;  // request -> the load that answered
  const auto ask = [&](int request) {
    reloader.request([&, request](const Result<std::string>&) {
      answers.emplace_back(request, in_use);
      if (answers.size() == 3) loop.stop();
    });
  };
  ask(1);
  gate->entered.get_future().wait();
  ask(2);
  ask(3);
  reloader.request({});  // as SIGHUP does: nobody waits for the answer
  gate->open.set_value();
  loop.run();
  CHECK(answers == std::vector<std::pair<int, std::uint64_t>>{{1, 1}, {2, 2}, {3, 2}});
  CHECK(*loads == 2);
}

TEST_CASE("a request from within an answer begins a load of its own") {
  EpollLoop loop;
  int loads = 0;
  Reloader reloader(loop, surroundings([] { return loaded_with(1); },
                                       [&](LoadResult) -> Result<std::string> {
                                         ++loads;
                                         return {};
                                       }));
  reloader.request([&](const Result<std::string>&) {
    reloader.request([&](const Result<std::string>&) { loop.stop(); });
  });
  loop.run();
  CHECK(loads == 2);
}

TEST_CASE("what finish() says is the answer, and a load that throws is a mistake") {
  EpollLoop loop;
  const auto finish = [](LoadResult loaded) -> Result<std::string> {
    return fail(loaded ? "none" : loaded.error().front().text());
  };
  Reloader reloader(
      loop, surroundings([]() -> LoadResult { throw std::runtime_error("no memory"); }, finish));
  std::string said;
  reloader.request([&](const Result<std::string>& result) {
    said = result.error().message;
    loop.stop();
  });
  loop.run();
  CHECK(said == "configuration:1:1: no memory");
}

TEST_CASE("what finish() adds is the answer") {
  EpollLoop loop;
  Reloader reloader(loop, surroundings([] { return loaded_with(1); },
                                       [](const LoadResult&) { return "more\n"; }));
  std::string said;
  reloader.request([&](const Result<std::string>& result) {
    said = *result;
    loop.stop();
  });
  loop.run();
  CHECK(said == "more\n");
}

TEST_CASE("a load that hangs is said once and holds up neither the loop nor the end") {
  FakeLoop loop;
  auto gate = std::make_shared<Gate>();
  int slow = 0;
  {
    const auto load = [gate]() -> LoadResult {
      gate->entered.set_value();
      gate->open.get_future().wait();
      return loaded_with(1);
    };
    const auto finish = [](const LoadResult&) -> Result<std::string> {
      FAIL("its owner is gone");
      return {};
    };
    Reloader reloader(loop, {[&] { return load; }, [&] { ++slow; }, finish});
    reloader.request({});
    gate->entered.get_future().wait();
    loop.advance(Reloader::kPatience - 1ms);
    CHECK(slow == 0);
    loop.advance(1h);
    CHECK(slow == 1);
  }
  gate->open.set_value();
}

/// Stands for a signal descriptor that never has one.
UniqueFd no_signals() { return UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

TEST_CASE("the first load is returned, be it good or not") {
  const UniqueFd signals = no_signals();
  const auto good = first_load([] { return loaded_with(7); }, signals.get());
  REQUIRE(good);
  REQUIRE(*good);
  CHECK((*good)->memory_bound == 7);
  const auto bad = first_load(
      []() -> LoadResult {
        return tl::unexpected(Diagnostics{{"a.toml", 1, 2, "wrong"}});
      },
      signals.get());
  REQUIRE(bad);
  REQUIRE_FALSE(*bad);
  CHECK(bad->error().front().text() == "a.toml:1:2: wrong");
}

}  // namespace
}  // namespace ua
