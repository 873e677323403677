// SPDX-License-Identifier: Apache-2.0
// Armed timers in order of their time: what EpollLoop and FakeLoop have in common. Passive: whoever
// owns it says what time it is. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

class TimerQueue {
 public:
  using Callback = std::function<void()>;

  /// O(log n).
  std::uint64_t add(Time when, Callback callback);
  /// O(log n); an id that has fired or was cancelled is ignored.
  void cancel(std::uint64_t id);
  /// When the earliest is due; nullopt where none is armed.
  std::optional<Time> next() const;
  /// Runs all that are due at `now`, earliest first, equal times in the order they were added;
  /// those added meanwhile wait for the next call, so a timer that re-arms itself cannot hold the
  /// loop.
  void run_due(Time now);
  std::size_t size() const { return heap_.size(); }

 private:
  struct Node {
    Time when;
    std::uint64_t order;
    std::uint32_t slot;
    bool before(const Node& other) const {
      return when != other.when ? when < other.when : order < other.order;
    }
  };
  struct Slot {
    std::uint32_t generation = 0;
    std::size_t position = 0;
    Callback callback;
  };

  void place(std::size_t position, Node node);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  Callback take(std::size_t position);

  std::vector<Node> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace ua
