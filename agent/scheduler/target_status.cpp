// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/target_status.h"

#include <array>

namespace ua {

std::string_view name(Verdict verdict) {
  static constexpr std::array<std::string_view, 3> kNames{"unknown", "up", "down"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string_view name(LocalTrouble trouble) {
  static constexpr std::array<std::string_view, kLocalTroubleCount + 1> kNames{
      "none",          "config_invalid",   "resources_exhausted", "permission_denied",
      "resolver_dead", "no_default_route", "loop_stalled"};
  return kNames[static_cast<std::size_t>(trouble)];
}

std::size_t StatusBoard::add(Entry entry) {
  const std::lock_guard lock(mutex_);
  if (!free_.empty()) {
    const std::size_t slot = free_.back();
    free_.pop_back();
    entries_[slot] = std::move(entry);
    return slot;
  }
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

void StatusBoard::update(std::size_t slot, Entry entry) {
  const std::lock_guard lock(mutex_);
  entries_[slot] = std::move(entry);
}

void StatusBoard::remove(std::size_t slot) {
  const std::lock_guard lock(mutex_);
  entries_[slot].reset();
  free_.push_back(slot);
}

std::vector<StatusBoard::Entry> StatusBoard::snapshot() const {
  std::vector<Entry> result;
  const std::lock_guard lock(mutex_);
  result.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if (entry) result.push_back(entry);
  }
  return result;
}

}  // namespace ua
