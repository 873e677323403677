// SPDX-License-Identifier: Apache-2.0
#include "agent/web/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace ua {
namespace {

constexpr Duration kPause = 250ms;
constexpr int kSweepMilliseconds = 250;
constexpr int kFullMilliseconds = 50;  // how soon a place that is free again is noticed

}  // namespace

Acceptor::Acceptor(std::vector<UniqueFd> listeners, Connections& connections,
                   std::function<Time()> now, HandOver hand_over, std::function<void(Time)> sweep)
    : listeners_(std::move(listeners)),
      connections_(connections),
      now_(std::move(now)),
      hand_over_(std::move(hand_over)),
      sweep_(std::move(sweep)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  if (!stop_) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { work(); });
}

Acceptor::~Acceptor() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

int Acceptor::patience_milliseconds(bool accepts) const {
  if (!accepts) return kFullMilliseconds;
  return connections_.empty() ? -1 : kSweepMilliseconds;
}

void Acceptor::work() {
  for (;;) {
    const bool accepts = !connections_.full() && now_() >= pause_until_;
    std::vector<pollfd> wanted{{stop_.get(), POLLIN, 0}};
    if (accepts) {
      for (const UniqueFd& listener : listeners_) wanted.push_back({listener.get(), POLLIN, 0});
    }
    ::poll(wanted.data(), wanted.size(), patience_milliseconds(accepts));
    if (wanted[0].revents != 0) return;
    sweep_(now_());
    for (std::size_t i = 1; i < wanted.size(); ++i) {
      if (wanted[i].revents != 0 && !connections_.full()) accept_one(wanted[i].fd);
    }
  }
}

void Acceptor::accept_one(int listener) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  auto* address = reinterpret_cast<sockaddr*>(&peer);
  UniqueFd fd(::accept4(listener, address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    // The connection stays in the queue, so the listener stays readable: wait, or spin.
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) pause_until_ = now_() + kPause;
    return;
  }
  connections_.accepted();
  if (!hand_over_(std::move(fd), address, size)) connections_.dropped();
}

}  // namespace ua
