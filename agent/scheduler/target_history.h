// SPDX-License-Identifier: Apache-2.0
// What became of one target's probes in the last hours, a slot each two minutes, without those that
// this host's own trouble spoiled. Written on the loop thread, read by any; kept in memory only.
// Owned by the target's row and by whoever shows it.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

class TargetHistory {
 public:
  static constexpr Duration kSlotLength = 2min;
  static constexpr std::size_t kSlots = 120;  ///< four hours

  /// Saturates where a slot has more probes than it can count.
  struct Slot {
    std::uint16_t attempts = 0;  ///< 0: no probe ended in that time
    std::uint16_t failures = 0;
    float slowest = 0;  ///< seconds, of the successes
  };
  static constexpr std::size_t kBytes = kSlots * sizeof(Slot);

  enum class Result : std::uint8_t { success, failure };
  /// @param total how long the probe took; counts for a success only
  void record(Time now, Result result, Duration total);

  /// Of the four hours up to now, the oldest slot first, kSlots of them.
  std::vector<Slot> read(Time now) const;

 private:
  using Index = std::int64_t;  // of a slot since the clock's epoch
  static Index index_of(Time now) { return now.time_since_epoch() / kSlotLength; }
  static std::size_t place_of(Index index) { return static_cast<std::size_t>(index) % kSlots; }

  mutable std::mutex mutex_;
  std::vector<Slot> ring_;  // empty before the first result
  Index newest_ = 0;
};

}  // namespace ua
