// SPDX-License-Identifier: Apache-2.0
// When runs start, in virtual time. What their results do: target_rows_test.cpp.
#include "agent/scheduler/scheduler.h"

#include "tests/agent/scheduler/rig.h"

namespace ua::scheduler_test {
namespace {

constexpr std::size_t kPerWindow10s = 100;  // launches per 100 ms of 10 000 targets at 10 s

TEST_CASE("a target keeps its grid for hours, whatever its runs take") {
  Rig rig;
  int runs = 0;
  rig.answer = [&](const std::string&) { return Answer{10ms * (++runs % 400)}; };
  rig.apply({upstream("a", 15s)});
  const Grid grid = grid_of("a", 15s);
  const Time begin = rig.loop.now();
  rig.loop.advance(3h);
  const auto starts = rig.starts(label("a"));
  REQUIRE(starts.size() == 1 + 3 * 240);
  CHECK(starts[0] == begin);
  Time slot = begin;
  for (std::size_t i = 1; i < starts.size(); ++i) {
    slot = grid.next(slot);
    REQUIRE(starts[i] == slot);
  }
}

/// Launches of the upstream's targets that are not at a slot.
std::vector<Time> off_grid(const Rig& rig, const std::string& name, Duration interval,
                           std::size_t targets) {
  std::map<std::string, Grid> grids;
  for (std::size_t i = 0; i < targets; ++i) {
    grids.emplace(label(name, i), grid_of(name, interval, i));
  }
  std::vector<Time> result;
  for (const Launch& launch : rig.launches) {
    const auto grid = grids.find(launch.target);
    if (grid != grids.end() && grid->second.next(launch.at - 1ns) != launch.at) {
      result.push_back(launch.at);
    }
  }
  return result;
}

TEST_CASE("a start is no herd: one early run every 10 ms, each target once") {
  Rig rig;
  rig.apply({upstream("a", 5min, 1000)});
  rig.loop.advance(10s - 1ns);
  std::map<std::string, int> runs;
  for (const Launch& launch : rig.launches) ++runs[launch.target];
  CHECK(runs.size() == 1000);
  const auto early = off_grid(rig, "a", 5min, 1000);
  CHECK(early.size() > 950);
  CHECK(most_within(early, 10ms) == 1);
}

TEST_CASE("10 000 targets start evenly") {
  Rig rig;
  rig.apply({upstream("a", 10s, 10'000)});
  const Time begin = rig.loop.now();
  rig.loop.advance(10s);
  const auto starts = times_of(rig.launches);
  CHECK(most_within(starts, 100ms) <= with_chance(kPerWindow10s) + 10);
  const auto first = static_cast<std::size_t>(
      std::count_if(starts.begin(), starts.end(), [&](Time at) { return at - begin < 100ms; }));
  CHECK(first <= with_chance(kPerWindow10s) + 10);
  std::map<std::string, int> runs;
  for (const Launch& launch : rig.launches) ++runs[launch.target];
  CHECK(runs.size() == 10'000);
  CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run.second <= 2; }));
}

TEST_CASE("early runs keep their distance over several reloads") {
  Rig rig;
  std::vector<UpstreamConfig> upstreams;
  for (const char* name : {"a", "b", "c", "d"}) {
    upstreams.push_back(upstream(name, 24h, 100));
    rig.apply(upstreams);
    rig.loop.advance(100ms);
  }
  rig.loop.advance(10s);
  std::vector<Time> early;
  for (const char* name : {"a", "b", "c", "d"}) {
    for (const Time at : off_grid(rig, name, 24h, 100)) early.push_back(at);
  }
  CHECK(early.size() == 400);
  CHECK(most_within(early, 10ms) == 1);
}

TEST_CASE("a reload that changes nothing arms nothing anew") {
  Rig changed;
  Rig unchanged;
  for (Rig* rig : {&changed, &unchanged}) {
    rig->answer = [](const std::string& target) {
      return target == label("a", 7) ? failing(ErrorClass::connect_refused) : Answer{};
    };
    rig->apply({upstream("a", 10s, 200)});
  }
  for (int i = 0; i < 300; ++i) {
    changed.loop.advance(100ms);
    unchanged.loop.advance(100ms);
    const std::size_t timers = changed.loop.timer_count();
    changed.apply({upstream("a", 10s, 200)});
    CHECK(changed.loop.timer_count() == timers);
  }
  REQUIRE(changed.launches.size() == unchanged.launches.size());
  for (std::size_t i = 0; i < changed.launches.size(); ++i) {
    CHECK(changed.launches[i].target == unchanged.launches[i].target);
    CHECK(changed.launches[i].at == unchanged.launches[i].at);
  }
}

TEST_CASE("a changed interval moves the target to its new grid") {
  Rig rig;
  rig.apply({upstream("a", 10s), upstream("b", 10s)});
  rig.loop.advance(1min);
  const Time reload = rig.loop.now();
  rig.apply({upstream("a", 7s), upstream("b", 10s)});
  CHECK(rig.value("upstream_probe_interval_seconds", "a") == "7");
  CHECK(rig.value("upstream_probe_interval_seconds", "b") == "10");
  rig.loop.advance(1min);
  for (const auto& [name, interval] : {std::pair("a", 7s), std::pair("b", 10s)}) {
    Time slot = reload;
    for (const Time at : rig.starts(label(name), reload)) {
      slot = grid_of(name, interval).next(slot);
      CHECK(at == slot);
    }
    CHECK(grid_of(name, interval).next(slot) > rig.loop.now());
  }
}

TEST_CASE("a changed interval does not take the early run away") {
  Rig rig;
  rig.apply({upstream("a", 24h, 300)});
  rig.loop.advance(1s - 1ns);
  CHECK(off_grid(rig, "a", 24h, 300).size() == 100);
  rig.launches.clear();
  rig.apply({upstream("a", 23h, 300)});
  rig.loop.advance(2s);
  CHECK(off_grid(rig, "a", 23h, 300).size() == 200);
}

TEST_CASE("other labels make another target in the same place of the grid") {
  Rig rig;
  auto config = upstream("a", 10s);
  config.labels = {{"team", "x"}};
  rig.apply({config});
  rig.loop.advance(1min);
  config.labels = {{"team", "y"}};
  rig.apply({config});
  const Time reload = rig.loop.now();
  CHECK(rig.value("upstream_probe_attempts_total{upstream=\"a\",target=\"" + label("a") +
                  "\",team=\"x\"}")
            .empty());
  CHECK(rig.value("upstream_probe_attempts_total{upstream=\"a\",target=\"" + label("a") +
                  "\",team=\"y\"}") == "0");
  rig.loop.advance(1min);
  const auto starts = rig.starts(label("a"), reload);
  REQUIRE(starts.size() >= 2);
  CHECK(starts[0] == reload);  // new, so it runs early
  CHECK(starts[1] == grid_of("a", 10s).next(reload));
}

TEST_CASE("a removed target's run is given up, its series and its place on the board are gone") {
  Rig rig;
  rig.answer = [](const std::string&) { return Answer{2s}; };
  rig.apply({upstream("a", 10s), upstream("b", 10s)});
  rig.loop.advance(1s);
  CHECK(rig.scheduler.in_flight() == 2);
  rig.apply({upstream("b", 10s)});
  CHECK(rig.scheduler.in_flight() == 1);
  CHECK(rig.running == 1);
  CHECK(rig.given_up == 1);
  CHECK(rig.agent_value("upstream_agent_probes_in_flight") == "1");
  CHECK(rig.value("upstream_probe_attempts_total", "a").empty());
  CHECK(rig.value("upstream_probe_attempts_total", "b") == "0");
  REQUIRE(rig.board.snapshot().size() == 1);
  CHECK(rig.board.snapshot()[0]->upstream == "b");
  rig.loop.advance(1min);
  CHECK(rig.starts(label("a")).size() == 1);
  CHECK(rig.scheduler.results() + rig.running == rig.starts(label("b")).size());
}

TEST_CASE("a target that is there twice runs once") {
  Rig rig;
  rig.apply({upstream("a", 10s), upstream("a", 10s)});
  rig.loop.advance(0s);
  CHECK(rig.launches.size() == 1);
  CHECK(rig.board.snapshot().size() == 1);
}

TEST_CASE("whoever hears of a verdict may remove the target") {
  Rig rig;
  auto config = upstream("a", 10s, 3);
  config.rise = 1;
  config.run.addresses = AddressMode::all;
  rig.answer = [](const std::string&) {
    return Answer{
        10ms, {outcome(ErrorClass::none, "10.0.0.1:1"), outcome(ErrorClass::none, "10.0.0.2:1")}};
  };
  rig.on_verdict = [&](const TargetStatus& status) {
    if (status.upstream == "a") rig.apply({upstream("b", 10s)});
  };
  rig.apply({config});
  rig.loop.advance(1min);
  CHECK(rig.verdicts ==
        std::vector<std::string>{"a: unknown -> up", "a: unknown -> up", "b: unknown -> up"});
  CHECK(rig.board.snapshot().size() == 1);
  CHECK(rig.running == 0);
}

// ---- what is in flight

TEST_CASE("a slot that finds the last run in flight is skipped and counted") {
  Rig rig;
  rig.answer = [](const std::string&) { return Answer{12s}; };
  rig.apply({upstream("a", 10s)});
  const Time begin = rig.loop.now();
  rig.loop.advance(10min);
  CHECK_FALSE(rig.twice);
  const auto starts = rig.starts(label("a"));
  // The early run stands for the slot that it covers; then every second slot is missed.
  Time slot = grid_of("a", 10s).next(begin);
  if (slot - begin < 12s) slot += 10s;
  for (std::size_t i = 1; i < starts.size(); ++i, slot += 20s) CHECK(starts[i] == slot);
  CHECK(rig.skipped("still_running") ==
        std::to_string(rig.scheduler.results() - 1));  // all but the early one
  CHECK(rig.skipped("paused") == "0");
}

TEST_CASE("a time-out as long as the interval costs no slot") {
  Rig rig;
  rig.answer = [](const std::string&) { return failing(ErrorClass::connect_timeout, 2s); };
  rig.apply({upstream("a", 2s)});
  rig.loop.advance(1min);
  CHECK_FALSE(rig.twice);
  CHECK(rig.launches.size() >= 29);
  CHECK(rig.skipped("still_running") == "0");
}

TEST_CASE("a run out of turn stands for the slot that it covers") {
  Rig rig;
  rig.answer = [](const std::string&) { return failing(ErrorClass::connect_timeout, 5s); };
  auto config = upstream("a", 10s, 50);
  rig.apply({config});
  rig.loop.advance(10min);
  CHECK_FALSE(rig.twice);
  // Early runs and the re-checks after them cover slots, and no operator need hear of it.
  CHECK(rig.skipped("still_running") == "0");
}

TEST_CASE("where max_in_flight is reached the others wait, first come first served") {
  Rig rig(2);
  rig.answer = [](const std::string&) { return Answer{1s}; };
  rig.apply({upstream("a", 24h, 7)});
  rig.loop.advance(990ms);
  CHECK(rig.scheduler.in_flight() == 2);
  CHECK(rig.launches.size() == 2);
  // The order of asking is that of the early runs: the furthest slot first.
  std::vector<std::pair<Time, std::string>> order;
  for (std::size_t i = 0; i < 7; ++i) {
    order.emplace_back(grid_of("a", 24h, i).next(rig.loop.now()), label("a", i));
  }
  std::sort(order.rbegin(), order.rend());
  rig.loop.advance(10s);
  REQUIRE(rig.launches.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) CHECK(rig.launches[i].target == order[i].second);
  CHECK(rig.skipped("max_in_flight") == "0");
  CHECK(rig.running == 0);
}

TEST_CASE("a slot that comes while its target waits is skipped and counted") {
  Rig rig(1);
  rig.answer = [](const std::string& target) {
    return target == label("slow") ? Answer{35s} : Answer{};
  };
  auto slow = upstream("slow", 24h);
  rig.apply({slow});
  rig.loop.advance(1s);
  rig.apply({slow, upstream("a", 10s)});
  rig.loop.advance(30s);
  CHECK(rig.starts(label("a")).empty());
  CHECK(rig.skipped("max_in_flight") == "3");
  rig.loop.advance(5s);
  CHECK(rig.starts(label("a")).size() == 1);
}

TEST_CASE("who waits is not forgotten when a reload frees the places") {
  Rig rig(1);
  rig.answer = [](const std::string&) { return Answer{1h}; };
  rig.apply({upstream("gone", 24h)});
  rig.loop.advance(1s);
  SECTION("because the running one is removed") {
    rig.apply({upstream("gone", 24h), upstream("a", 24h), upstream("b", 24h)});
    rig.loop.advance(1s);
    rig.apply({upstream("a", 24h), upstream("b", 24h)});
    rig.loop.advance(1s);
    CHECK(rig.running == 1);
    rig.apply({upstream("a", 24h)});  // one of them runs, the other waited
    rig.apply({upstream("b", 24h)});
    rig.loop.advance(1s);
    CHECK(rig.running == 1);
  }
  SECTION("because the limit is raised") {
    rig.apply({upstream("gone", 24h), upstream("a", 24h), upstream("b", 24h)});
    rig.loop.advance(1s);
    CHECK(rig.running == 1);
    rig.apply({upstream("gone", 24h), upstream("a", 24h), upstream("b", 24h)}, 3);
    rig.loop.advance(1s);
    CHECK(rig.running == 3);
  }
}

TEST_CASE("what hangs leaves places for what answers") {
  Rig rig(80);
  bool dark = false;
  rig.answer = [&](const std::string& target) {
    const bool hangs = dark && target.starts_with("tcp://dark");
    return hangs ? failing(ErrorClass::connect_timeout, 5s) : Answer{};
  };
  // 200 that hang for half of their time would take 100 places.
  rig.apply({upstream("dark", 10s, 200), upstream("well", 1s, 20)});
  rig.loop.advance(20s);
  dark = true;
  rig.loop.advance(20s);  // it takes a time-out to learn of it
  const auto skipped = [&] { return std::stoi(rig.skipped("max_in_flight")); };
  const Time begin = rig.loop.now();
  const int before = skipped();
  rig.loop.advance(1min);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto starts = rig.starts(label("well", i), begin);
    CHECK(starts.size() == 60);
    Time slot = begin;
    for (const Time at : starts) {
      slot = grid_of("well", 1s, i).next(slot);
      CHECK(at == slot);
    }
  }
  // The others have their turns too, as far as the places go: 70 of 100.
  CHECK(skipped() > before);
  CHECK(rig.skipped("still_running") == "0");
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(rig.starts(label("dark", i), begin).size() >= 3);
  }
  // Once they answer, all is as it was.
  dark = false;
  rig.loop.advance(20s);
  const int after = skipped();
  rig.loop.advance(1min);
  CHECK(skipped() == after);
}

TEST_CASE("no re-check while half of all places are in use") {
  for (const unsigned places : {8U, 10U}) {
    Rig rig(places);
    rig.answer = [](const std::string& target) {
      return target == label("a") ? failing(ErrorClass::connect_refused) : Answer{1h};
    };
    rig.apply({upstream("slow", 24h, 4)});
    rig.loop.advance(1s);
    rig.apply({upstream("slow", 24h, 4), upstream("a", 24h)});
    rig.loop.advance(5s);
    CHECK(rig.starts(label("a")).size() == (places == 8 ? 1 : 2));
  }
}

TEST_CASE("a removed target that waited does not run") {
  Rig rig(1);
  rig.answer = [](const std::string&) { return Answer{5s}; };
  rig.apply({upstream("a", 24h)});
  rig.loop.advance(1s);
  rig.apply({upstream("a", 24h), upstream("b", 24h), upstream("c", 24h)});
  rig.loop.advance(1s);
  rig.apply({upstream("a", 24h), upstream("c", 24h)});
  rig.loop.advance(1min);
  CHECK(rig.starts(label("b")).empty());
  CHECK(rig.starts(label("c")).size() == 1);
}

TEST_CASE("places that come free together are not filled together") {
  Rig rig(2000);
  bool hang = true;
  rig.answer = [&](const std::string&) { return hang ? Answer{1h} : Answer{}; };
  const auto all = upstream("a", 10s, 10'000);
  rig.apply({all});
  rig.loop.advance(20s);
  CHECK(rig.scheduler.in_flight() == 2000);
  hang = false;
  const Time raised = rig.loop.now();
  rig.apply({all}, 20'000);
  rig.loop.advance(10s);
  CHECK(most_within(times_of(rig.launches, raised), 100ms) <= 2 * kPerWindow10s + 10);
}

// ---- pauses

/// Runs 10 000 targets for a while, then stops the process for `pause`.
struct Paused {
  Paused(Duration interval, Duration pause) {
    rig.apply({upstream("a", interval, 10'000)});
    rig.loop.advance(2 * interval);
    before = rig.loop.now();
    rig.launches.clear();
    rig.loop.pause(pause);
    after = rig.loop.now();
    for (std::size_t i = 0; i < 10'000; ++i) {
      missed += static_cast<std::size_t>(grid_of("a", interval, i).slots_between(before, after));
    }
  }
  Rig rig;
  Time before;
  Time after;
  std::size_t missed = 0;
};

TEST_CASE("after a pause of 30 s nothing bursts, and what was missed is made up or counted") {
  Paused paused(60s, 30s);
  Rig& rig = paused.rig;
  rig.loop.advance(60s);
  const double mean = 10'000 * 0.1 / 60;
  CHECK(most_within(times_of(rig.launches), 100ms) <= with_chance(2 * mean) + 10);
  std::map<std::string, std::vector<Time>> runs;
  for (const Launch& launch : rig.launches) runs[launch.target].push_back(launch.at);
  std::size_t out_of_turn = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    const Time slot = grid_of("a", 60s, i).next(paused.after);
    const auto& starts = runs[label("a", i)];
    // At most once before its next slot.
    REQUIRE(starts.size() >= 1);
    REQUIRE(starts.size() <= 2);
    REQUIRE(starts.back() == slot);
    if (starts.size() == 2) ++out_of_turn;
  }
  CHECK(out_of_turn > 1000);
  CHECK(rig.skipped("paused") == std::to_string(paused.missed - out_of_turn));
  CHECK(rig.skipped("still_running") == "0");
}

TEST_CASE("after a pause of 10 min every slot missed is counted, and all go on in their places") {
  Paused paused(60s, 10min);
  Rig& rig = paused.rig;
  CHECK(rig.skipped("paused") == "100000");
  CHECK(paused.missed == 100'000);
  rig.loop.advance(60s);
  CHECK(rig.launches.size() == 10'000);
  CHECK(most_within(times_of(rig.launches), 100ms) <= with_chance(10'000 * 0.1 / 60));
}

TEST_CASE("a hold-up of 50 ms shifts, it does not skip") {
  Paused paused(10s, 50ms);
  Rig& rig = paused.rig;
  CHECK(rig.launches.size() == paused.missed);
  CHECK(rig.skipped("paused") == "0");
  rig.loop.advance(10s);
  CHECK(most_within(times_of(rig.launches), 100ms) <= with_chance(1.5 * kPerWindow10s));
}

TEST_CASE("the wall clock moves nothing but timestamps") {
  Rig rig;
  Rig steady;
  for (Rig* one : {&rig, &steady}) one->apply({upstream("a", 10s, 20)});
  for (const WallTime wall : {WallTime(86'400s * 365), WallTime(0s), WallTime(4'294'967'296s)}) {
    rig.loop.set_wall(wall);
    rig.loop.advance(1min);
    steady.loop.advance(1min);
    REQUIRE(rig.launches.size() == steady.launches.size());
    for (std::size_t i = 0; i < rig.launches.size(); ++i) {
      CHECK(rig.launches[i].at == steady.launches[i].at);
    }
  }
  const double last = std::stod(rig.value("upstream_probe_last_run_timestamp_seconds", "a"));
  CHECK(last > 4'294'967'296.0);
  CHECK(last <= 4'294'967'296.0 + 60);
}

// ---- re-checks

/// One target at 10 s that answers as scripted, run by run.
struct Rechecked {
  explicit Rechecked(std::vector<Answer> script, Duration interval = 10s) {
    rig.answer = [this, script = std::move(script)](const std::string&) {
      const std::size_t run = std::min(rig.launches.size(), script.size()) - 1;
      return script[run];
    };
    rig.apply({upstream("a", interval)});
    slot = grid_of("a", interval).next(rig.loop.now());
    // From the first slot on, so that every step is told from the early run.
    rig.loop.advance(slot - rig.loop.now() - 1ns);
  }
  /// Starts after the early run, as times after the first slot.
  std::vector<Duration> starts() const {
    std::vector<Duration> result;
    for (const Time at : rig.starts(label("a"), slot)) result.push_back(at - slot);
    return result;
  }
  Rig rig;
  Time slot;
};

TEST_CASE("a second after a first failure the target is asked again, once") {
  Rechecked one({Answer{}, failing(ErrorClass::connect_refused)});
  one.rig.loop.advance(30s - 1ns);
  const Duration delay = recheck_delay(stable_hash(std::string("a") + '\0' + label("a")));
  CHECK(delay >= 800ms);
  CHECK(delay <= 1200ms);
  CHECK(one.starts() == std::vector<Duration>{0s, 10ms + delay, 10s, 20s});
}

TEST_CASE("each row of failures has its own re-check") {
  Rechecked one({Answer{}, failing(ErrorClass::connect_refused), Answer{},
                 failing(ErrorClass::connect_refused), failing(ErrorClass::connect_refused)});
  one.rig.loop.advance(30s - 1ns);
  const auto starts = one.starts();
  REQUIRE(starts.size() == 5);
  CHECK(starts[2] == 10s);
  CHECK(starts[3] > 10s);
  CHECK(starts[3] < 12s);
  CHECK(starts[4] == 20s);
}

TEST_CASE("no re-check where asking again would hurt, or would say nothing of the upstream") {
  for (std::size_t i = 1; i <= kErrorClassCount; ++i) {
    const auto error = static_cast<ErrorClass>(i);
    CAPTURE(name(error));
    const bool never = error == ErrorClass::http_503 || error == ErrorClass::rate_limited ||
                       phase_of(error) == Phase::local || error == ErrorClass::slow_response;
    Rechecked one({Answer{}, failing(error)});
    one.rig.loop.advance(10s - 1ns);
    CHECK(one.starts().size() == (never ? 1 : 2));
  }
}

TEST_CASE("no re-check where the grid comes sooner") {
  Rechecked one({Answer{}, failing(ErrorClass::connect_timeout, 4300ms)}, 5s);
  one.rig.loop.advance(20s - 1ns);
  CHECK(one.starts() == std::vector<Duration>{0s, 5s, 10s, 15s});
}

TEST_CASE("a fleet that fails at once is not asked again at once") {
  Rig rig;
  rig.apply({upstream("a", 10s, 10'000)});
  rig.loop.advance(20s);
  // Half an interval's runs hang, and what they hang on dies.
  const Time death = rig.loop.now() + 5s;
  rig.answer = [&](const std::string&) {
    return failing(ErrorClass::reset_before_headers,
                   std::max<Duration>(10ms, death - rig.loop.now()));
  };
  rig.launches.clear();
  rig.loop.advance(20s);
  CHECK(most_within(times_of(rig.launches), 100ms) <= with_chance(2 * kPerWindow10s) + 10);
}

}  // namespace
}  // namespace ua::scheduler_test
