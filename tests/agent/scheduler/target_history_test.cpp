// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/target_history.h"

#include "tests/catch.h"

namespace ua {
namespace {

using Result = TargetHistory::Result;

constexpr Time kStart{1000h};  // the beginning of a slot

struct Sum {
  unsigned attempts = 0;
  unsigned failures = 0;
};

Sum sum(const TargetHistory& history, Time now) {
  Sum result;
  for (const auto& slot : history.read(now)) {
    result.attempts += slot.attempts;
    result.failures += slot.failures;
  }
  return result;
}

TEST_CASE("a history without results has slots without probes") {
  const TargetHistory history;
  const auto slots = history.read(kStart);
  REQUIRE(slots.size() == TargetHistory::kSlots);
  CHECK(sum(history, kStart).attempts == 0);
}

TEST_CASE("a slot counts its probes, its failures, and the slowest success") {
  TargetHistory history;
  history.record(kStart, Result::success, 30ms);
  history.record(kStart + 1s, Result::success, 125ms);
  history.record(kStart + 2s, Result::failure, 5s);
  const auto last = history.read(kStart + 119s).back();
  CHECK(last.attempts == 3);
  CHECK(last.failures == 1);
  CHECK(last.slowest == 0.125F);
}

TEST_CASE("slots move on with the time, whether or not there are results") {
  TargetHistory history;
  history.record(kStart, Result::failure, 1s);
  history.record(kStart + 2min, Result::success, 1s);
  auto slots = history.read(kStart + 2min);
  CHECK(slots[118].failures == 1);
  CHECK(slots[119].failures == 0);
  CHECK(slots[119].attempts == 1);

  slots = history.read(kStart + 10min);
  CHECK(slots[114].failures == 1);
  CHECK(slots[115].attempts == 1);
  CHECK(sum(history, kStart + 10min).attempts == 2);
}

TEST_CASE("what is older than four hours is gone, and nothing of it comes back") {
  TargetHistory history;
  for (int i = 0; i < 200; ++i) history.record(kStart + i * 2min, Result::failure, 1s);
  CHECK(sum(history, kStart + 199 * 2min).attempts == 120);

  SECTION("after a gap shorter than the ring") {
    const Time later = kStart + (199 + 50) * 2min;
    CHECK(sum(history, later).attempts == 70);
    history.record(later, Result::success, 1s);
    CHECK(sum(history, later).attempts == 71);
    CHECK(history.read(later)[119].failures == 0);
  }
  SECTION("after a gap longer than the ring") {
    const Time later = kStart + (199 + 1000) * 2min;
    CHECK(sum(history, later).attempts == 0);
    history.record(later, Result::success, 1s);
    CHECK(sum(history, later).attempts == 1);
  }
}

TEST_CASE("a slot with more probes than it can count stays full") {
  TargetHistory history;
  for (int i = 0; i < 70'000; ++i) history.record(kStart, Result::failure, 1s);
  CHECK(history.read(kStart).back().attempts == 65'535);
  CHECK(history.read(kStart).back().failures == 65'535);
}

}  // namespace
}  // namespace ua
