// SPDX-License-Identifier: Apache-2.0
// The scheduler under whatever comes: targets that come and go, answer, fail and hang, reloads and
// pauses of the process, by seeds, in virtual time.
#include <random>

#include "tests/agent/scheduler/rig.h"

namespace ua::scheduler_test {
namespace {

class World {
 public:
  World(unsigned seed, std::size_t most_targets, Duration interval, unsigned max_in_flight)
      : random_(seed), most_targets_(most_targets), interval_(interval), rig_(max_in_flight) {
    rig_.answer = [this](const std::string& target) { return answer(target); };
    for (std::size_t i = 0; i < most_targets; ++i) {
      if (chance(70)) present_[i] = interval_;
    }
    reload();
  }

  /// Moves on by `by` in `steps`, with something happening after each.
  void live(Duration by, int steps) {
    for (int i = 0; i < steps; ++i) {
      advance(by / steps);
      const unsigned what = pick(100);
      if (what < 10) pause(interval_ * pick(300) / 100);
      if (what >= 10 && what < 20) pause(1ms * pick(300));
      if (what >= 20 && what < 50) change_some();
      if (what >= 50 && what < 60) reload();
    }
  }

  void calm_down() {
    calm_ = true;
    advance(2 * interval_);  // what hangs ends
    calm_since_ = rig_.loop.now();
    advance(3 * interval_);
  }

  void check() const {
    check_runs();
    check_pace();
  }

  std::size_t launched() const { return rig_.launches.size(); }

 private:
  void check_runs() const {
    CHECK_FALSE(rig_.twice);
    CHECK_FALSE(removed_ran_);
    CHECK(rig_.scheduler.in_flight() == rig_.running);
    CHECK(longest_wait_ <= 0s);
    CHECK(out_of_place() == 0);
  }

  void check_pace() const {
    const double mean =
        static_cast<double>(most_targets_) * to_seconds(100ms) / to_seconds(interval_ / 2);
    // Ten of new targets, five re-checks, five made up.
    CHECK(most_within(times_of(rig_.launches), 100ms) <= with_chance(2 * mean) + 20);
  }

  /// Targets that did not run at each slot since all is calm.
  std::size_t out_of_place() const {
    std::map<std::string, std::size_t> runs;
    for (const Launch& launch : rig_.launches) {
      if (launch.at > calm_since_) ++runs[launch.target];
    }
    std::size_t starved = 0;
    for (const auto& [i, interval] : present_) {
      const auto slots =
          grid_of("u" + std::to_string(i), interval).slots_between(calm_since_, rig_.loop.now());
      if (runs[label("u" + std::to_string(i))] != static_cast<std::size_t>(slots)) ++starved;
    }
    return starved;
  }

  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  bool chance(unsigned percent) { return pick(100) < percent; }

  Answer answer(const std::string& target) {
    note_run(target);
    if (calm_) return Answer{1ms * (1 + pick(50)), {outcome(ErrorClass::none)}};
    const unsigned what = pick(100);
    if (what < 80) return Answer{1ms * (1 + pick(300)), {outcome(ErrorClass::none)}};
    if (what < 90) return failing(ErrorClass::connect_refused);
    if (what < 93) return failing(ErrorClass::local_resources_exhausted, 1ms);
    return failing(ErrorClass::connect_timeout, std::min<Duration>(5s, interval_ / 2));
  }

  /// No target may wait longer for its run than its interval and what a reload, a pause or a run
  /// before it takes away.
  void note_run(const std::string& target) {
    const Time now = rig_.loop.now();
    const auto since = waits_since_.find(target);
    if (since == waits_since_.end()) {
      removed_ran_ = true;
      return;
    }
    const Duration allowed = 2 * interval_ + lost_ - since->second.lost;
    longest_wait_ = std::max(longest_wait_, now - since->second.at - allowed);
    since->second = {now, lost_};
  }

  void advance(Duration by) { rig_.loop.advance(by); }
  void pause(Duration by) {
    rig_.loop.pause(by);
    lost_ += by + interval_;  // the slot in it, and no run to make up for it
  }

  void change_some() {
    for (unsigned n = 1 + pick(10); n > 0; --n) {
      const std::size_t i = pick(static_cast<unsigned>(most_targets_));
      if (present_.erase(i) == 0) present_[i] = chance(50) ? interval_ : interval_ / 2;
    }
    for (auto& [i, interval] : present_) {
      if (chance(2)) interval = interval == interval_ ? interval_ / 2 : interval_;
    }
    lost_ += interval_;  // of those that moved
    reload();
  }

  void reload() {
    std::vector<UpstreamConfig> upstreams;
    std::map<std::string, Wait> waits;
    for (const auto& [i, interval] : present_) {
      const std::string name = "u" + std::to_string(i);
      upstreams.push_back(upstream(name, interval));
      upstreams.back().run.timeout = std::min<Duration>(5s, interval_ / 2);
      const auto known = waits_since_.find(label(name));
      waits[label(name)] =
          known != waits_since_.end() ? known->second : Wait{rig_.loop.now(), lost_};
    }
    waits_since_ = std::move(waits);
    rig_.apply(upstreams);
  }

  struct Wait {
    Time at;
    Duration lost;
  };

  std::mt19937_64 random_;
  std::size_t most_targets_;
  Duration interval_;
  std::map<std::size_t, Duration> present_;
  std::map<std::string, Wait> waits_since_;
  Duration lost_{};
  Duration longest_wait_{};
  bool removed_ran_ = false;
  bool calm_ = false;
  Time calm_since_;
  Rig rig_;
};

TEST_CASE("whatever comes, none starves, none runs twice at a time, none bursts") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    World world(seed, 100, 10s, 1000);
    world.live(3min, 60);
    world.calm_down();
    world.check();
  }
}

TEST_CASE("the same where places are short") {
  for (unsigned seed = 1001; seed <= 1020; ++seed) {
    CAPTURE(seed);
    World world(seed, 100, 10s, 12);
    world.live(3min, 60);
    world.calm_down();
    world.check();
  }
}

TEST_CASE("10 000 targets for a day") {
  World world(7, 10'000, 3h, 1000);
  world.live(24h, 24);
  world.calm_down();
  world.check();
  CHECK(world.launched() > 50'000);
}

}  // namespace
}  // namespace ua::scheduler_test
