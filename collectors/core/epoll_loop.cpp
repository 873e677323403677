// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/epoll_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace ua {
namespace {

constexpr int kEventsPerTurn = 256;

std::uint64_t tag(int fd, std::uint32_t generation) {
  return (static_cast<std::uint64_t>(generation) << 32U) | static_cast<std::uint32_t>(fd);
}

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

}  // namespace

EpollLoop::EpollLoop()
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag(wake_.get(), 0);
  checked(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event), "epoll_ctl");
}

EpollLoop::~EpollLoop() = default;

Time EpollLoop::now() const { return std::chrono::steady_clock::now(); }
WallTime EpollLoop::wall_now() const { return std::chrono::system_clock::now(); }

Timer EpollLoop::at(Time when, Callback callback) {
  return Timer(*this, timers_.add(when, std::move(callback)));
}

Watch EpollLoop::watch(int fd, std::uint32_t events, FdCallback callback) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watched_.size()) watched_.resize(index + 1);
  Watched& watched = watched_[index];
  ++watched.generation;
  watched.callback = std::make_shared<FdCallback>(std::move(callback));
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag(fd, watched.generation);
  checked(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  return Watch(*this, fd, watched.generation);
}

void EpollLoop::cancel_timer(std::uint64_t id) { timers_.cancel(id); }

void EpollLoop::cancel_watch(int fd, std::uint64_t id) {
  Watched& watched = watched_[static_cast<std::size_t>(fd)];
  if (watched.generation != id) return;
  ++watched.generation;
  watched.callback.reset();
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EpollLoop::set_watch(int fd, std::uint64_t id, std::uint32_t events) {
  if (watched_[static_cast<std::size_t>(fd)].generation != id) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag(fd, static_cast<std::uint32_t>(id));
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EpollLoop::post(Callback callback) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(callback));
  }
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) wakes the loop just as well.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void EpollLoop::stop() {
  stopping_ = true;
  post([] {});
}

void EpollLoop::run() {
  stopping_ = false;
  while (!stopping_) turn();
}

int EpollLoop::wait_milliseconds() const {
  const auto next = timers_.next();
  if (!next) return -1;
  // Rounded up: waking a little late beats spinning through the last millisecond.
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - now());
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 3'600'000));
}

Duration EpollLoop::lateness(Time now) const {
  const auto due = timers_.next();
  return due ? now - std::max(*due, noted_) : Duration::zero();
}

void EpollLoop::note_lateness(Time now) {
  const Duration late = lateness(now);
  if (late <= Duration::zero()) return;
  noted_ = now;
  if (late >= kStallThreshold) stalled_ += late;
  if (on_lag_) on_lag_(late);
}

void EpollLoop::take_events(int wait_milliseconds) {
  std::array<epoll_event, kEventsPerTurn> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, wait_milliseconds);
  // Before any callback, so that whoever is called already sees the hold-up in stalled().
  note_lateness(now());
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;  // packed: copy first
    const auto fd = static_cast<std::size_t>(data & 0xffffffffU);
    if (fd == static_cast<std::size_t>(wake_.get())) {
      run_posted();
      continue;
    }
    if (watched_[fd].generation != data >> 32U) continue;  // ended earlier in this turn
    const std::shared_ptr<FdCallback> callback = watched_[fd].callback;
    (*callback)(events[static_cast<std::size_t>(i)].events);
  }
}

void EpollLoop::turn() {
  take_events(wait_milliseconds());
  // A callback ran long: what arrived meanwhile is seen before a deadline passes on it.
  if (lateness(now()) >= kStallThreshold) take_events(0);
  timers_.run_due(now());
}

void EpollLoop::run_posted() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto size = ::read(wake_.get(), &ignored, sizeof ignored);
  std::vector<Callback> batch;
  {
    const std::lock_guard lock(posted_mutex_);
    batch.swap(posted_);
  }
  for (const Callback& callback : batch) callback();
}

}  // namespace ua
