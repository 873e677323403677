// SPDX-License-Identifier: Apache-2.0
// When a target is probed: pure arithmetic, no clock and no loop.
#pragma once

#include <algorithm>
#include <cstdint>

#include "collectors/core/time.h"

namespace ua {

/// A run that starts this late is on time still; that late it would not be noticed.
inline constexpr Duration kOnTime = 50ms;

/// The moments phase + k * interval of CLOCK_MONOTONIC. The phase is the hash of the target's name,
/// so that targets are spread evenly and stay where they are across reloads and restarts.
class Grid {
 public:
  Grid(std::uint64_t hash, Duration interval)
      : interval_(interval),
        phase_(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval.count()))) {}

  Duration interval() const { return interval_; }
  /// The first slot later than `after`.
  Time next(Time after) const { return Time(phase_ + slots_until(after) * interval_); }
  /// How many slots there are later than `after` and no later than `until`.
  std::int64_t slots_between(Time after, Time until) const {
    return slots_until(until) - slots_until(after);
  }
  /// Whether a run that is so late is still worth a launch out of turn: else the next slot is
  /// nearer than the missed one.
  bool worth_making_up(Duration late) const { return late <= interval_ / 2; }

 private:
  /// The number k of the first slot later than `time`.
  std::int64_t slots_until(Time time) const {
    const Duration since = time.time_since_epoch() - phase_;
    return since < Duration::zero() ? 0 : since / interval_ + 1;
  }

  Duration interval_;
  Duration phase_;
};

/// How long after a first failure the target is asked again: 0.8 to 1.2 s by its hash, since what
/// failed together is not to be asked together. Other bits than the phase's, which would bring
/// neighbours of the grid together again.
inline Duration recheck_delay(std::uint64_t hash) {
  return 800ms + Duration(static_cast<std::int64_t>((hash >> 32U) % 400'000'001U));
}

/// Gives out moments that lie at least a gap apart.
class Pacer {
 public:
  Time next(Time now) const { return std::max(now, free_from_); }
  void take(Time moment, Duration gap) { free_from_ = moment + gap; }

 private:
  Time free_from_{};
};

}  // namespace ua
