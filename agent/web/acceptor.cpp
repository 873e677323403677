// SPDX-License-Identifier: Apache-2.0
#include "agent/web/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace ua {
namespace {

constexpr Duration kPause = 250ms;
constexpr Duration kPauseWhileFull = 5ms;
constexpr int kSweepMilliseconds = 250;

}  // namespace

Acceptor::Acceptor(std::vector<UniqueFd> listeners, Connections& connections,
                   std::function<Time()> now, HandOver hand_over, Sweep sweep)
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

/// @param sweeping there is something to be swept later
int Acceptor::patience_milliseconds(Time now, bool sweeping) const {
  if (now < pause_until_) return static_cast<int>((pause_until_ - now) / 1ms) + 1;
  return sweeping ? kSweepMilliseconds : -1;
}

void Acceptor::work() {
  for (;;) {
    const Time now = now_();
    std::vector<pollfd> wanted{{stop_.get(), POLLIN, 0}};
    if (now >= pause_until_) {
      for (const UniqueFd& listener : listeners_) wanted.push_back({listener.get(), POLLIN, 0});
    }
    ::poll(wanted.data(), wanted.size(), patience_milliseconds(now, sweep_(now)));
    if (wanted[0].revents != 0) return;
    for (std::size_t i = 1; i < wanted.size(); ++i) {
      if (wanted[i].revents != 0) accept_one(wanted[i].fd);
    }
  }
}

/// What is not accepted stays in the queue, so the listener stays readable: pause, or spin.
void Acceptor::accept_one(int listener) {
  const Time now = now_();
  if (!connections_.make_room(now)) {
    pause_until_ = now + kPauseWhileFull;
    return;
  }
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  auto* address = reinterpret_cast<sockaddr*>(&from);
  UniqueFd fd(::accept4(listener, address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) pause_until_ = now + kPause;
    return;
  }
  const Connections::Peer peer = Connections::peer_of(address);
  connections_.accepted(peer);
  if (!hand_over_(std::move(fd), address, size)) connections_.dropped(peer);
}

}  // namespace ua
