// SPDX-License-Identifier: Apache-2.0
// Time and readiness: the one interface through which anything waits. EpollLoop is the real one,
// FakeLoop (tests) has virtual time. All but post() and now() belong to the loop's own thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "collectors/core/time.h"

namespace ua {

class Loop;

/// Keeps a timer armed; destroying it disarms, also from inside the timer's own callback.
class Timer {
 public:
  Timer() = default;
  Timer(Loop& loop, std::uint64_t id) : loop_(&loop), id_(id) {}
  Timer(Timer&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_) {}
  Timer& operator=(Timer&& other) noexcept;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }
  void cancel();
  explicit operator bool() const { return loop_ != nullptr; }

 private:
  Loop* loop_ = nullptr;
  std::uint64_t id_ = 0;
};

/// Keeps a descriptor watched; destroy it before the descriptor is closed.
class Watch {
 public:
  Watch() = default;
  Watch(Loop& loop, int fd, std::uint64_t id) : loop_(&loop), fd_(fd), id_(id) {}
  Watch(Watch&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), fd_(other.fd_), id_(other.id_) {}
  Watch& operator=(Watch&& other) noexcept;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { cancel(); }
  void cancel();
  /// Changes what is waited for; the callback stays.
  void set(std::uint32_t events);
  int fd() const { return fd_; }
  explicit operator bool() const { return loop_ != nullptr; }

 private:
  Loop* loop_ = nullptr;
  int fd_ = -1;
  std::uint64_t id_ = 0;
};

class Loop {
 public:
  using Callback = std::function<void()>;
  using FdCallback = std::function<void(std::uint32_t events)>;

  virtual ~Loop() = default;

  virtual Time now() const = 0;
  virtual WallTime wall_now() const = 0;

  /// Runs `callback` once at `when` or as soon after as the loop turns. Dropping the handle
  /// disarms.
  [[nodiscard]] virtual Timer at(Time when, Callback callback) = 0;
  [[nodiscard]] Timer after(Duration delay, Callback callback) {
    return at(now() + delay, std::move(callback));
  }

  /// Calls `callback` with EPOLL* bits while `fd` is ready for `events` (level triggered).
  [[nodiscard]] virtual Watch watch(int fd, std::uint32_t events, FdCallback callback) = 0;

  /// Runs `callback` on the loop's thread soon. Any thread may call it.
  virtual void post(Callback callback) = 0;

  /// How long the loop was unable to act in all, counting each hold-up of kStallThreshold or more:
  /// the process was stopped, the machine slept, a callback ran long. A latency measured while this
  /// grew is not the upstream's.
  virtual Duration stalled() const = 0;
  static constexpr Duration kStallThreshold = 100ms;

 protected:
  friend class Timer;
  friend class Watch;
  virtual void cancel_timer(std::uint64_t id) = 0;
  virtual void cancel_watch(int fd, std::uint64_t id) = 0;
  virtual void set_watch(int fd, std::uint64_t id, std::uint32_t events) = 0;
};

inline void Timer::cancel() {
  if (Loop* loop = std::exchange(loop_, nullptr)) loop->cancel_timer(id_);
}
inline Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    cancel();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = other.id_;
  }
  return *this;
}
inline void Watch::cancel() {
  if (Loop* loop = std::exchange(loop_, nullptr)) loop->cancel_watch(fd_, id_);
}
inline Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    cancel();
    loop_ = std::exchange(other.loop_, nullptr);
    fd_ = other.fd_;
    id_ = other.id_;
  }
  return *this;
}
inline void Watch::set(std::uint32_t events) {
  if (loop_ != nullptr) loop_->set_watch(fd_, id_, events);
}

}  // namespace ua
