// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/dial.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace ua {
namespace {

ErrorClass class_of_errno(int error, bool unix_socket) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:
    case ENOTDIR:
      return ErrorClass::connect_refused;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EINVAL:  // a blackhole route
    case ENOPROTOOPT:
    case EPROTO:
      return ErrorClass::unreachable;
    case ECONNRESET:
      return ErrorClass::reset_before_headers;
    case ETIMEDOUT:
      return ErrorClass::connect_timeout;
    case EACCES:
    case EPERM:
      return ErrorClass::permission_denied;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return ErrorClass::local_resources_exhausted;
    case EAGAIN:
      return unix_socket ? ErrorClass::listen_queue_full : ErrorClass::local_resources_exhausted;
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTSOCK:
    case EAFNOSUPPORT:
      return ErrorClass::config_invalid;
    case EPROTOTYPE:
      return ErrorClass::protocol_mismatch;
    default:
      return ErrorClass::unknown;
  }
}

/// Ports run out for TCP alone: where UDP cannot be routed either, there is no address to use.
bool has_no_source(const Endpoint& endpoint) {
  const UniqueFd fd(socket(endpoint.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd && connect(fd.get(), endpoint.address(), endpoint.size) != 0 && errno == EADDRNOTAVAIL;
}

Classified classify_option(const SocketTrouble& trouble) {
  const bool denied = trouble.error == EPERM || trouble.error == EACCES;
  return {denied ? ErrorClass::permission_denied : ErrorClass::config_invalid,
          std::string(trouble.option)};
}

bool lacks_zone(const Endpoint& endpoint) {
  return is_link_local(endpoint) && endpoint.zone().empty();
}

}  // namespace

Classified classify_dial(const DialFailure& failure) {
  if (failure.option) return classify_option(*failure.option);
  if (failure.icmp && failure.icmp->is_rejection()) {
    return {ErrorClass::connect_firewall_rejected, failure.icmp->token()};
  }
  if (failure.queue_full && failure.error == ECONNREFUSED) {  // net.ipv4.tcp_abort_on_overflow
    return {ErrorClass::listen_queue_full, "accept_queue_full,rst"};
  }
  if (failure.listening && failure.error == ECONNREFUSED) {
    return {ErrorClass::connect_firewall_rejected, "rst,listening"};
  }
  if (failure.timed_out) {
    if (failure.queue_full) return {ErrorClass::listen_queue_full, "accept_queue_full"};
    return {ErrorClass::connect_timeout, "syn_unanswered"};
  }
  Classified result{class_of_errno(failure.error, failure.unix_socket),
                    "errno_" + std::to_string(failure.error)};
  if (failure.zone_missing) return {ErrorClass::config_invalid, "zone_missing"};
  if (failure.no_source) result.error = ErrorClass::unreachable;
  // IPv6 without an address family in the kernel is "unreachable", not a mistake in the target.
  if (failure.no_socket && failure.error == EAFNOSUPPORT) result.error = ErrorClass::unreachable;
  if (failure.icmp) result.detail += ',' + failure.icmp->token();
  return result;
}

Dial::Dial(Loop& loop, const Endpoint& endpoint, Connected connected, Failed failed,
           std::shared_ptr<const SocketOptions> options)
    : loop_(loop),
      endpoint_(endpoint),
      connected_(std::move(connected)),
      failed_(std::move(failed)),
      options_(std::move(options)) {
  open();
}

void Dial::open() {
  fd_.reset(socket(endpoint_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) return fail_later(errno, true);
  if (options_) {
    DialFailure failure;
    failure.option = set_socket_options(fd_.get(), endpoint_.family(), *options_);
    if (failure.option) return fail_later(failure);
  }
  set_icmp_errors(fd_.get(), endpoint_.family(), true);
  if (connect(fd_.get(), endpoint_.address(), endpoint_.size) != 0 && errno != EINPROGRESS) {
    return fail_later(errno, false);
  }
  watch_ = loop_.watch(fd_.get(), EPOLLOUT, [this](std::uint32_t) { on_ready(); });
}

void Dial::fail_later(int error, bool no_socket) {
  DialFailure failure;
  failure.error = error;
  failure.no_socket = no_socket;
  failure.unix_socket = endpoint_.family() == AF_UNIX;
  failure.no_source = !no_socket && error == EADDRNOTAVAIL && has_no_source(endpoint_);
  failure.zone_missing = error == EINVAL && lacks_zone(endpoint_);
  if (!no_socket && !failure.zone_missing) failure.option = option_at_fault(error);
  fail_later(failure);
}

/// connect() itself finds that an address such as 127.0.0.1 leads nowhere but to this host.
std::optional<SocketTrouble> Dial::option_at_fault(int error) const {
  if (!options_ || !options_->source || error != EINVAL) return std::nullopt;
  return SocketTrouble{"source_address", error};
}

void Dial::fail_later(const DialFailure& failure) {
  later_ = loop_.after(Duration::zero(), [this, failure] {
    const Failed failed = std::move(failed_);
    failed(failure);
  });
}

void Dial::on_ready() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  watch_.cancel();
  if (error == 0 && options_ && options_->proxy_protocol) error = send_proxy_line(fd_.get());
  if (error == EPIPE) error = ECONNRESET;  // reset since, and that was noted already
  if (error == 0) {
    set_icmp_errors(fd_.get(), endpoint_.family(), false);
    const Connected connected = std::move(connected_);
    connected(Connection{std::move(fd_), endpoint_, loop_.now(), options_});
    return;
  }
  DialFailure failure;
  failure.error = error;
  failure.unix_socket = endpoint_.family() == AF_UNIX;
  failure.icmp = take_icmp_error(fd_.get());
  const Failed failed = std::move(failed_);
  failed(failure);
}

DialFailure Dial::give_up() {
  DialFailure failure;
  failure.timed_out = true;
  failure.unix_socket = endpoint_.family() == AF_UNIX;
  if (fd_) failure.icmp = take_icmp_error(fd_.get());
  watch_.cancel();
  later_.cancel();
  fd_.reset();
  return failure;
}

}  // namespace ua
