// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/grid.h"

#include <set>

#include "tests/agent/scheduler/rig.h"

namespace ua {
namespace {

using scheduler_test::grid_of;
using scheduler_test::most_within;

TEST_CASE("the slots are phase + k * interval, the next one is later than now") {
  const Grid grid(23, 10ns);  // phase 3
  const auto next = [&](std::int64_t ns) { return grid.next(Time(Duration(ns))); };
  CHECK(next(0) == Time(3ns));
  CHECK(next(2) == Time(3ns));
  CHECK(next(3) == Time(13ns));
  CHECK(next(12) == Time(13ns));
  CHECK(next(1'000'003) == Time(1'000'013ns));
  CHECK(next(-5) == Time(3ns));
  const Grid day(~0ULL, 24h);
  CHECK(day.next(Time{}).time_since_epoch() ==
        Duration(static_cast<std::int64_t>(~0ULL % 86'400'000'000'000ULL)));
}

TEST_CASE("slots are counted after one moment up to another, that one included") {
  const Grid grid(3, 10ns);
  const auto between = [&](std::int64_t a, std::int64_t b) {
    return grid.slots_between(Time(Duration(a)), Time(Duration(b)));
  };
  CHECK(between(3, 3) == 0);
  CHECK(between(3, 12) == 0);
  CHECK(between(3, 13) == 1);
  CHECK(between(2, 13) == 2);
  CHECK(between(0, 2) == 0);
  CHECK(between(3, 1'003) == 100);
}

TEST_CASE("a run later than half an interval is not worth making up") {
  const Grid grid(0, 10s);
  CHECK(grid.worth_making_up(5s));
  CHECK_FALSE(grid.worth_making_up(5s + 1ns));
}

TEST_CASE("10 000 targets are spread evenly over their interval") {
  for (const Duration interval : {Duration(10s), Duration(15s), Duration(5min)}) {
    std::vector<Time> slots;
    for (std::size_t i = 0; i < 10'000; ++i) {
      // Two rounds, so that a window over the seam is seen as well.
      const Time slot = grid_of("shop" + std::to_string(i / 100), interval, i % 100).next(Time{});
      slots.push_back(slot);
      slots.push_back(slot + interval);
    }
    const double mean = 10'000 * (to_seconds(100ms) / to_seconds(interval));
    CAPTURE(mean, most_within(slots, 100ms));
    // With a mean of 100 five standard deviations are half of it. Smaller means have wider
    // ones: 3.3 may well be 15 somewhere among the 3 000 windows, so ten more are granted.
    CHECK(static_cast<double>(most_within(slots, 100ms)) <= 1.5 * mean + 10);
  }
}

TEST_CASE("re-checks are spread from 0.8 to 1.2 s, apart from the place in the grid") {
  std::set<Duration> delays;
  std::size_t early = 0;
  for (std::size_t i = 0; i < 1'000; ++i) {
    // All in one place of the grid of 400 ms.
    const std::uint64_t hash = stable_hash(std::to_string(i)) / 400'000'000 * 400'000'000;
    const Duration delay = recheck_delay(hash);
    CHECK(delay >= 800ms);
    CHECK(delay <= 1200ms);
    if (delay < 1s) ++early;
    delays.insert(delay);
  }
  CHECK(delays.size() > 990);
  CHECK(early > 400);
  CHECK(early < 600);
}

TEST_CASE("a pacer gives out moments a gap apart, and none that has passed") {
  Pacer pacer;
  CHECK(pacer.next(Time(5s)) == Time(5s));
  pacer.take(Time(5s), 10ms);
  CHECK(pacer.next(Time(5s)) == Time(5s + 10ms));
  pacer.take(Time(5s + 10ms), 10ms);
  CHECK(pacer.next(Time(5s)) == Time(5s + 20ms));
  CHECK(pacer.next(Time(6s)) == Time(6s));
}

}  // namespace
}  // namespace ua
