// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/target_history.h"

#include <algorithm>
#include <limits>

namespace ua {
namespace {

void count(std::uint16_t& number) {
  if (number < std::numeric_limits<std::uint16_t>::max()) ++number;
}

}  // namespace

void TargetHistory::record(Time now, Result result, Duration total) {
  const Index index = index_of(now);
  const std::lock_guard lock(mutex_);
  if (ring_.empty()) {
    ring_.resize(kSlots);
    newest_ = index;
  }
  const Index gone = std::min<Index>(index - newest_, kSlots);
  for (Index i = 1; i <= gone; ++i) ring_[place_of(index - gone + i)] = {};
  newest_ = std::max(newest_, index);

  Slot& slot = ring_[place_of(newest_)];
  count(slot.attempts);
  if (result == Result::failure) count(slot.failures);
  if (result == Result::success) {
    slot.slowest = std::max(slot.slowest, static_cast<float>(to_seconds(total)));
  }
}

std::vector<TargetHistory::Slot> TargetHistory::read(Time now) const {
  std::vector<Slot> result(kSlots);
  const std::lock_guard lock(mutex_);
  if (ring_.empty()) return result;
  const Index last = std::max(newest_, index_of(now));
  for (std::size_t i = 0; i < kSlots; ++i) {
    const Index index = last - static_cast<Index>(kSlots - 1 - i);
    const bool known = index <= newest_ && index > newest_ - static_cast<Index>(kSlots);
    if (known && index >= 0) result[i] = ring_[place_of(index)];
  }
  return result;
}

}  // namespace ua
