// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ua {

Stream::Stream(Loop& loop, UniqueFd fd, Events events)
    : loop_(loop), fd_(std::move(fd)), events_(std::move(events)) {
  watch_ = loop_.watch(fd_.get(), EPOLLIN, [this](std::uint32_t ready) { on_ready(ready); });
}

void Stream::send(std::string_view bytes) {
  if (fd_.get() < 0 || bytes.empty()) return;
  outgoing_.erase(0, std::exchange(sent_, 0));
  outgoing_ += bytes;
  watch_.set(EPOLLIN | EPOLLOUT);  // who waits for us to read would never read
}

void Stream::close() {
  watch_.cancel();
  fd_.reset();
}

UniqueFd Stream::release() {
  watch_.cancel();
  return std::move(fd_);
}

/// What the peer said before it closed tells why: it is read before anything is written.
void Stream::on_ready(std::uint32_t events) {
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) return read();
  write();
}

void Stream::write() {
  while (!is_sent()) {
    const ssize_t size = ::send(fd_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      return end(errno == ECONNRESET ? End::reset : End::fin);
    }
  }
  watch_.set(EPOLLIN);
  if (events_.sent) events_.sent();
}

/// One piece at a time: the loop has others to serve.
void Stream::read() {
  std::array<char, 16384> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) return events_.received({buffer.data(), static_cast<std::size_t>(size)});
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  end(size == 0 ? End::fin : End::reset);
}

void Stream::end(End how) {
  watch_.cancel();
  events_.ended(how);
}

}  // namespace ua
