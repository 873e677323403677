// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/datagram.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ua {
namespace {

int take_socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

bool is_port_unreachable(const IcmpError& icmp) {
  return icmp.v6 ? icmp.type == 1 && icmp.code == 4 : icmp.type == 3 && icmp.code == 3;
}

/// Large ones go out in pieces: with "don't fragment" set, the first that is too large for the path
/// would be lost, and there is no second.
void let_fragment(int fd, int family) {
  const int v4 = IP_PMTUDISC_DONT;
  const int v6 = IPV6_PMTUDISC_DONT;
  if (family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
}

/// What of this host connect() has found to be in the way.
DialFailure explain_connect(int error, const Endpoint& peer, const SocketOptions* options) {
  DialFailure failure;
  failure.error = error;
  failure.no_source = error == EADDRNOTAVAIL;
  failure.zone_missing = error == EINVAL && is_link_local(peer) && peer.zone().empty();
  const bool source = options != nullptr && options->source && !failure.zone_missing;
  if (source && error == EINVAL) failure.option = SocketTrouble{"source_address", error};
  return failure;
}

}  // namespace

Classified classify_datagram(const DialFailure& failure) {
  if (failure.icmp && is_port_unreachable(*failure.icmp)) {
    return {ErrorClass::connect_refused, failure.icmp->token()};
  }
  return classify_dial(failure);
}

Datagram::Datagram(Loop& loop, const Endpoint& peer, Events events,
                   const std::shared_ptr<const SocketOptions>& options)
    : loop_(loop), peer_(peer), events_(std::move(events)) {
  open(options.get());
}

void Datagram::open(const SocketOptions* options) {
  fd_.reset(socket(peer_.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) return fail_later({.error = errno, .no_socket = true});
  if (options != nullptr) {
    DialFailure failure;
    failure.option = set_socket_options(fd_.get(), peer_.family(), *options);
    if (failure.option) return fail_later(failure);
  }
  set_icmp_errors(fd_.get(), peer_.family(), true);
  let_fragment(fd_.get(), peer_.family());
  if (connect(fd_.get(), peer_.address(), peer_.size) != 0) {
    return fail_later(explain_connect(errno, peer_, options));
  }
  watch_ = loop_.watch(fd_.get(), EPOLLIN, [this](std::uint32_t ready) { on_ready(ready); });
}

void Datagram::send(std::string_view bytes) {
  if (!fd_ || later_) return;
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return;
  DialFailure failure;
  failure.error = errno;
  // A rule of this host's own is no word from the network, even where it leaves one.
  const bool own = failure.error == EPERM || failure.error == EACCES;
  if (!own) failure.icmp = take_icmp_error(fd_.get());
  fail_later(failure);
}

void Datagram::close() {
  watch_.cancel();
  later_.cancel();
  fd_.reset();
}

/// An answer counts more than an error that came with it.
void Datagram::on_ready(std::uint32_t events) {
  if ((events & EPOLLERR) == 0) {
    receive();
    return;
  }
  DialFailure failure;
  failure.icmp = take_icmp_error(fd_.get());
  failure.error = take_socket_error(fd_.get());
  if (receive() || (!failure.icmp && failure.error == 0)) return;
  close();
  events_.failed(failure);
}

/// One at a time: the loop has others to serve.
bool Datagram::receive() {
  std::array<char, kMaxSize> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0) return false;
  events_.received({buffer.data(), static_cast<std::size_t>(size)});
  return true;
}

void Datagram::fail_later(const DialFailure& failure) {
  watch_.cancel();
  later_ = loop_.after(Duration::zero(), [this, failure] {
    close();
    events_.failed(failure);
  });
}

}  // namespace ua
