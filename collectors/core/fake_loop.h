// SPDX-License-Identifier: Apache-2.0
// A Loop whose time moves only when a test says so. Descriptors are never ready by themselves.
#pragma once

#include <deque>
#include <map>

#include "collectors/core/loop.h"
#include "collectors/core/timer_queue.h"

namespace ua {

class FakeLoop final : public Loop {
 public:
  Time now() const override { return now_; }
  WallTime wall_now() const override { return wall_ + (now_ - Time{}); }

  [[nodiscard]] Timer at(Time when, Callback callback) override {
    return Timer(*this, timers_.add(when, std::move(callback)));
  }
  [[nodiscard]] Watch watch(int fd, std::uint32_t /*events*/, FdCallback callback) override {
    watches_[fd] = Watched{++watch_id_, std::move(callback)};
    return Watch(*this, fd, watch_id_);
  }
  void post(Callback callback) override { posted_.push_back(std::move(callback)); }
  Duration stalled() const override { return stalled_; }

  /// Moves time on, firing every timer at its own due time.
  void advance(Duration by) {
    const Time end = now_ + by;
    run_posted();
    for (auto next = timers_.next(); next && *next <= end; next = timers_.next()) {
      now_ = std::max(now_, *next);
      timers_.run_due(now_);
      run_posted();
    }
    now_ = end;
  }
  /// Moves time on as if the process had been stopped meanwhile: what came due fires late.
  void pause(Duration by) {
    const auto due = timers_.next();
    now_ += by;
    if (due && now_ - *due >= kStallThreshold) stalled_ += now_ - *due;
    timers_.run_due(now_);
    run_posted();
  }
  void set_wall(WallTime wall) { wall_ = wall - (now_ - Time{}); }
  std::size_t timer_count() const { return timers_.size(); }

 protected:
  void cancel_timer(std::uint64_t id) override { timers_.cancel(id); }
  void cancel_watch(int fd, std::uint64_t id) override {
    const auto it = watches_.find(fd);
    if (it != watches_.end() && it->second.id == id) watches_.erase(it);
  }
  void set_watch(int /*fd*/, std::uint64_t /*id*/, std::uint32_t /*events*/) override {}

 private:
  struct Watched {
    std::uint64_t id;
    FdCallback callback;
  };
  void run_posted() {
    while (!posted_.empty()) {
      const Callback callback = std::move(posted_.front());
      posted_.pop_front();
      callback();
    }
  }

  Time now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 50)};
  TimerQueue timers_;
  std::map<int, Watched> watches_;
  std::uint64_t watch_id_ = 0;
  std::deque<Callback> posted_;
  Duration stalled_{0};
};

}  // namespace ua
