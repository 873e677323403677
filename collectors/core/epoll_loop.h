// SPDX-License-Identifier: Apache-2.0
// The real Loop: epoll and CLOCK_MONOTONIC. Owned by main (or a test); runs on the thread that
// calls run(). The only place in the program that reads a clock.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "collectors/core/loop.h"
#include "collectors/core/timer_queue.h"
#include "collectors/core/unique_fd.h"

namespace ua {

class EpollLoop final : public Loop {
 public:
  /// Throws std::system_error where the kernel gives no epoll or event descriptor.
  EpollLoop();
  ~EpollLoop() override;

  Time now() const override;
  WallTime wall_now() const override;
  [[nodiscard]] Timer at(Time when, Callback callback) override;
  [[nodiscard]] Watch watch(int fd, std::uint32_t events, FdCallback callback) override;
  void post(Callback callback) override;
  Duration stalled() const override { return stalled_; }

  /// Turns until stop(). May be called again.
  void run();
  /// Any thread. Callbacks already due in this turn still run.
  void stop();

  /// Called once a turn that had a timer due, with how late it was.
  void set_lag_observer(std::function<void(Duration)> observer) { on_lag_ = std::move(observer); }

 protected:
  void cancel_timer(std::uint64_t id) override;
  void cancel_watch(int fd, std::uint64_t id) override;
  void set_watch(int fd, std::uint64_t id, std::uint32_t events) override;

 private:
  struct Watched {
    std::uint32_t generation = 0;
    std::shared_ptr<FdCallback> callback;  // shared: it may end its own watch while it runs
  };

  void turn();
  int wait_milliseconds() const;
  /// How late the loop is now, apart from what was noted already.
  Duration lateness(Time now) const;
  void note_lateness(Time now);
  void take_events(int wait_milliseconds);
  void run_posted();

  UniqueFd epoll_;
  UniqueFd wake_;
  TimerQueue timers_;
  std::vector<Watched> watched_;  // by descriptor
  std::function<void(Duration)> on_lag_;
  Duration stalled_{0};
  Time noted_{};  // up to here lateness is counted
  std::atomic<bool> stopping_{false};
  std::mutex posted_mutex_;
  std::vector<Callback> posted_;
};

}  // namespace ua
