// SPDX-License-Identifier: Apache-2.0
#include "agent/host_sampling.h"

#include <algorithm>
#include <atomic>
#include <future>

#include "collectors/core/epoll_loop.h"
#include "tests/catch.h"

using namespace ua;

namespace {

class FunctionSampler final : public HostSampler {
 public:
  using Function = std::function<Result<void>(HostSnapshot&)>;
  FunctionSampler(std::string_view name, Function function, std::shared_ptr<void> kept = {})
      : name_(name), function_(std::move(function)), kept_(std::move(kept)) {}
  std::string_view name() const override { return name_; }
  Result<void> sample(HostSnapshot& into) override { return function_(into); }

 private:
  std::string_view name_;
  Function function_;
  std::shared_ptr<void> kept_;
};

Result<void> one_cpu(HostSnapshot& into) {
  into.cpu.emplace().cpus = 1;
  return {};
}

/// A loop, the sampling, and what it complained about.
struct Sampling {
  std::unique_ptr<EpollLoop> loop = std::make_unique<EpollLoop>();
  std::vector<std::unique_ptr<HostSampler>> samplers;
  std::vector<std::string> troubles;
  std::unique_ptr<HostSampling> sampling;
  int firsts = 0;
  std::vector<std::string> recoveries;

  void add(std::string_view name, FunctionSampler::Function function,
           std::shared_ptr<void> kept = {}) {
    samplers.push_back(
        std::make_unique<FunctionSampler>(name, std::move(function), std::move(kept)));
  }
  void start(Duration interval = 5ms) {
    sampling = std::make_unique<HostSampling>(
        *loop, interval, std::move(samplers),
        HostSampling::Callbacks{[this](const SamplerRun& run) {
                                  if (run.success) {
                                    recoveries.push_back(run.name);
                                  } else {
                                    troubles.push_back(run.name + ": " + run.error);
                                  }
                                },
                                [this] { firsts += sampling->latest() != nullptr ? 1 : 100; }});
  }
  /// Turns the loop until `condition` holds.
  void until(const std::function<bool()>& condition) {
    const Time end = loop->now() + 20s;
    std::function<void()> look = [&] {
      if (condition() || loop->now() > end) return loop->stop();
      timer_ = loop->after(1ms, look);
    };
    timer_ = loop->after(0ms, look);  // not at once: a stop() before run() would be lost
    loop->run();
    REQUIRE(condition());
  }
  std::shared_ptr<const HostSnapshot> latest() const { return sampling->latest(); }
  bool well() const {
    const auto snapshot = latest();
    return snapshot && std::all_of(snapshot->runs.begin(), snapshot->runs.end(),
                                   [](const SamplerRun& run) { return run.success; });
  }

 private:
  Timer timer_;
};

}  // namespace

TEST_CASE("samples again and again, off the loop's thread") {
  Sampling test;
  std::atomic<int> samples{0};
  std::atomic<bool> on_loop{false};
  const auto loop_thread = std::this_thread::get_id();
  test.add("cpu", [&](HostSnapshot& into) {
    ++samples;
    on_loop = on_loop || std::this_thread::get_id() == loop_thread;
    return one_cpu(into);
  });
  test.start();
  test.until([&] { return samples >= 3 && test.latest() && test.firsts > 0; });
  CHECK(test.firsts == 1);
  CHECK_FALSE(on_loop);
  const auto snapshot = test.latest();
  CHECK(snapshot->cpu->cpus == 1);
  REQUIRE(snapshot->runs.size() == 1);
  CHECK(snapshot->runs[0].name == "cpu");
  CHECK(snapshot->runs[0].success);
  CHECK(snapshot->runs[0].took >= 0s);
  CHECK(test.troubles.empty());
}

TEST_CASE("a failing sampler leaves the others alone and is reported once, until it has worked") {
  Sampling test;
  std::atomic<bool> broken{true};
  std::atomic<int> samples{0};
  test.add("load", [&](HostSnapshot&) -> Result<void> {
    ++samples;
    if (broken) return fail("no such file");
    return {};
  });
  test.add("cpu", one_cpu);
  test.start(250ms);  // on a busy machine a sample that works may take longer than the others' 5 ms
  test.until([&] { return samples >= 4 && test.latest(); });
  CHECK(test.troubles == std::vector<std::string>{"load: no such file"});
  const auto snapshot = test.latest();
  CHECK(snapshot->cpu);
  CHECK_FALSE(snapshot->runs[0].success);
  CHECK(snapshot->runs[0].error == "no such file");
  CHECK(snapshot->runs[1].success);

  broken = false;
  test.until([&] { return test.well() && !test.recoveries.empty(); });
  CHECK(test.recoveries == std::vector<std::string>{"load"});
  broken = true;
  test.until([&] { return test.troubles.size() >= 2; });
  CHECK(test.troubles.back() == "load: no such file");
}

TEST_CASE(
    "a sampler that hangs shows as failed and holds no old figures; nothing piles up behind it") {
  Sampling test;
  std::atomic<int> entered{0};
  std::promise<void> release;
  std::shared_future<void> released = release.get_future();
  test.add("cpu", one_cpu);
  test.add("memory", [&](HostSnapshot&) -> Result<void> {
    if (++entered == 3) released.wait();
    return {};
  });
  test.start();
  test.until([&] { return entered == 3 && test.latest() && !test.well(); });
  const auto snapshot = test.latest();
  CHECK_FALSE(snapshot->cpu);
  REQUIRE(snapshot->runs.size() == 2);
  CHECK(snapshot->runs[0].error == "held up by memory");
  CHECK(snapshot->runs[1].error == "no answer within the interval");
  const Time later = test.loop->now() + 50ms;  // ten more intervals
  test.until([&] { return test.loop->now() > later; });
  CHECK(entered == 3);
  CHECK(test.troubles.size() == 2);

  release.set_value();
  test.until([&] { return test.well(); });
  CHECK(test.latest()->cpu);
}

TEST_CASE("a sampler that hangs for ever does not hold up the end") {
  std::promise<void> release;
  std::promise<void> worker_gone;
  std::future<void> gone = worker_gone.get_future();
  {
    Sampling test;
    std::promise<void> begun;
    std::future<void> hangs = begun.get_future();
    test.add(
        "cpu",
        [&begun, released = release.get_future().share()](HostSnapshot&) -> Result<void> {
          begun.set_value();
          released.wait();
          return fail("too late");
        },
        std::shared_ptr<void>(nullptr, [&worker_gone](void*) { worker_gone.set_value(); }));
    test.start();
    hangs.wait();
    test.sampling.reset();
    test.loop.reset();
    CHECK(test.troubles.empty());
  }
  release.set_value();  // the thread left behind touches neither the loop nor its owner
  gone.wait();
}

TEST_CASE("the end waits for a sample that is under way") {
  std::atomic<bool> finished{false};
  std::promise<void> begun;
  std::future<void> under_way = begun.get_future();
  Sampling test;
  test.add("cpu", [&](HostSnapshot&) -> Result<void> {
    begun.set_value();
    std::this_thread::sleep_for(50ms);
    finished = true;
    return {};
  });
  test.start();
  under_way.wait();
  test.sampling.reset();
  CHECK(finished);
}
