// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/timer_queue.h"

#include <utility>

namespace ua {

std::uint64_t TimerQueue::add(Time when, Callback callback) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].callback = std::move(callback);
  heap_.push_back(Node{when, order_++, slot});
  slots_[slot].position = heap_.size() - 1;
  sift_up(heap_.size() - 1);
  return (static_cast<std::uint64_t>(slots_[slot].generation) << 32U) | slot;
}

void TimerQueue::cancel(std::uint64_t id) {
  const auto slot = static_cast<std::uint32_t>(id);
  if (slots_[slot].generation != static_cast<std::uint32_t>(id >> 32U)) return;
  take(slots_[slot].position);
}

std::optional<Time> TimerQueue::next() const {
  return heap_.empty() ? std::nullopt : std::optional(heap_.front().when);
}

void TimerQueue::run_due(Time now) {
  const std::uint64_t added_later = order_;
  while (!heap_.empty() && heap_.front().when <= now && heap_.front().order < added_later) {
    const Callback callback = take(0);
    callback();
  }
}

TimerQueue::Callback TimerQueue::take(std::size_t position) {
  const std::uint32_t slot = heap_[position].slot;
  const Node last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    place(position, last);
    sift_down(position);
    sift_up(position);
  }
  Callback callback = std::move(slots_[slot].callback);
  slots_[slot].callback = nullptr;
  ++slots_[slot].generation;
  free_.push_back(slot);
  return callback;
}

void TimerQueue::place(std::size_t position, Node node) {
  heap_[position] = node;
  slots_[node.slot].position = position;
}

void TimerQueue::sift_up(std::size_t position) {
  const Node node = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!node.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, node);
}

void TimerQueue::sift_down(std::size_t position) {
  const Node node = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(node)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, node);
}

}  // namespace ua
