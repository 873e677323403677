// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns_channel.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace ua {
namespace {

constexpr Duration kTryTimeout = 1s;
constexpr int kTries = 3;
constexpr Duration kMaxTtl = 1h;
constexpr std::size_t kMaxAddresses = 64;  // of one name; a hostile zone can list thousands

/// What an earlier datagram of a connected UDP socket met.
bool is_refusal(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH;
}

bool is_datagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

ares_ssize_t total_size(const iovec* parts, int count) {
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return static_cast<ares_ssize_t>(size);
}

void take(const ares_addrinfo& result, DnsChannel::Answer& into) {
  for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
    Endpoint endpoint;
    if (into.addresses.size() >= kMaxAddresses) break;
    if (node->ai_addrlen > sizeof endpoint.storage) continue;
    std::memcpy(&endpoint.storage, node->ai_addr, node->ai_addrlen);
    endpoint.size = node->ai_addrlen;
    into.addresses.push_back(endpoint);
    if (node->ai_ttl <= 0) continue;  // not to be kept
    const Duration one = std::min<Duration>(std::chrono::seconds(node->ai_ttl), kMaxTtl);
    into.ttl = into.ttl ? std::min(*into.ttl, one) : one;
  }
}

}  // namespace

struct DnsChannel::Question {
  DnsChannel* channel;
  Done done;
};

DnsChannel::DnsChannel(Loop& loop, OnServerError on_server_error) : loop_(loop) {
  ares_options options{};
  // The caller walks the search list: A and AAAA must not end at two different names.
  options.flags = ARES_FLAG_NOSEARCH;
  if (on_server_error == OnServerError::report) options.flags |= ARES_FLAG_NOCHECKRESP;
  static char only_servers[] = "b";  // the hosts file is read by the caller
  options.lookups = only_servers;
  options.timeout = static_cast<int>(kTryTimeout / 1ms);
  options.tries = kTries;
  options.sock_state_cb = &DnsChannel::on_socket_state;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
                   ARES_OPT_LOOKUPS;
  if (ares_init_options(&ares_, &options, mask) != ARES_SUCCESS) {
    throw std::runtime_error("c-ares could not start");
  }
  own_sockets();
  read_settings();
}

DnsChannel::~DnsChannel() { ares_destroy(ares_); }

/// c-ares says no more than "connection refused" where a descriptor is missing.
void DnsChannel::own_sockets() {
  static constexpr ares_socket_functions kFunctions{
      [](int domain, int type, int protocol, void* self) -> ares_socket_t {
        const int fd = ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
        if (fd < 0) static_cast<DnsChannel*>(self)->local_error_ = errno;
        return fd;
      },
      [](ares_socket_t fd, void* self) {
        static_cast<DnsChannel*>(self)->refused_.erase(fd);
        return ::close(fd);
      },
      [](ares_socket_t fd, const sockaddr* address, ares_socklen_t size, void*) {
        return ::connect(fd, address, size);
      },
      [](ares_socket_t fd, void* buffer, std::size_t size, int flags, sockaddr* from,
         ares_socklen_t* from_size, void* self) {
        return static_cast<DnsChannel*>(self)->receive(fd, buffer, size, flags, from, from_size);
      },
      [](ares_socket_t fd, const iovec* parts, int count, void* self) {
        return static_cast<DnsChannel*>(self)->send(fd, parts, count);
      },
  };
  ares_set_socket_functions(ares_, &kFunctions, this);
}

/// All questions to a server share one socket. The refusal of one of them can come out of the
/// write of the next, which takes it from the socket: c-ares would try that one again and wait for
/// the others' answers in vain. Kept for the read, where it fails all of them.
ares_ssize_t DnsChannel::send(int fd, const iovec* parts, int count) noexcept {
  const ssize_t sent = ::writev(fd, parts, count);
  if (sent >= 0 || !is_refusal(errno) || !is_datagram(fd)) return sent;
  refused_.emplace(fd, errno);
  refusal_ = loop_.after(Duration::zero(), [this] {
    const auto hold = shared_from_this();
    for (const auto& [refused, error] : std::map(refused_)) process(refused, ARES_SOCKET_BAD);
  });
  return total_size(parts, count);
}

ares_ssize_t DnsChannel::receive(int fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                                 ares_socklen_t* from_size) noexcept {
  if (const auto refused = refused_.extract(fd)) {
    errno = refused.mapped();
    return -1;
  }
  return ::recvfrom(fd, buffer, size, flags, from, from_size);
}

void DnsChannel::read_settings() {
  ares_options known{};
  int mask = 0;
  if (ares_save_options(ares_, &known, &mask) == ARES_SUCCESS) {
    if ((mask & ARES_OPT_NDOTS) != 0) ndots_ = known.ndots;
    for (int i = 0; i < known.ndomains; ++i) search_domains_.emplace_back(known.domains[i]);
    ares_destroy_options(&known);
  }
  ares_addr_port_node* servers = nullptr;
  if (ares_get_servers_ports(ares_, &servers) != ARES_SUCCESS) return;
  for (const auto* one = servers; one != nullptr; one = one->next) ++servers_;
  ares_free_data(servers);
}

void DnsChannel::on_socket_state(void* data, ares_socket_t fd, int readable,
                                 int writable) noexcept {
  auto* self = static_cast<DnsChannel*>(data);
  if (readable == 0 && writable == 0) {
    self->watches_.erase(fd);
    return;
  }
  const std::uint32_t events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
  const auto it = self->watches_.find(fd);
  if (it != self->watches_.end()) {
    it->second.set(events);
    return;
  }
  self->watches_.emplace(fd, self->loop_.watch(fd, events, [self, fd](std::uint32_t ready) {
    const bool read = (ready & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    const bool write = (ready & EPOLLOUT) != 0;
    self->process(read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
  }));
}

void DnsChannel::process(int readable, int writable) {
  const auto hold = shared_from_this();
  ares_process_fd(ares_, readable, writable);
  arm();
}

/// c-ares says when it next wants to look at its time-outs.
void DnsChannel::arm() {
  timeval buffer{};
  const timeval* wait = ares_timeout(ares_, nullptr, &buffer);
  if (wait == nullptr) {
    timer_.cancel();
    return;
  }
  timer_ =
      loop_.after(std::chrono::seconds(wait->tv_sec) + std::chrono::microseconds(wait->tv_usec),
                  [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

void DnsChannel::ask(const std::string& name, int family, Done done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  local_error_ = 0;
  auto question = std::make_unique<Question>(Question{this, std::move(done)});
  ares_getaddrinfo(ares_, name.c_str(), nullptr, &hints, &DnsChannel::on_answer,
                   question.release());
  arm();
}

void DnsChannel::on_answer(void* data, int status, int /*timeouts*/,
                           ares_addrinfo* result) noexcept {
  const std::unique_ptr<Question> question(static_cast<Question*>(data));
  Answer answer;
  answer.status = status;
  if (result != nullptr) {
    take(*result, answer);
    ares_freeaddrinfo(result);
  }
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
  if (status != ARES_SUCCESS) answer.local_error = question->channel->local_error_;
  question->done(answer);
}

void DnsChannel::ask_control(std::function<void(int status)> done) {
  auto question = std::make_unique<std::function<void(int)>>(std::move(done));
  constexpr int kInternet = 1;
  constexpr int kNameServers = 2;
  ares_query(ares_, ".", kInternet, kNameServers, &DnsChannel::on_control, question.release());
  arm();
}

void DnsChannel::on_control(void* data, int status, int /*timeouts*/, unsigned char* /*answer*/,
                            int /*size*/) noexcept {
  const std::unique_ptr<std::function<void(int)>> done(
      static_cast<std::function<void(int)>*>(data));
  if (status != ARES_EDESTRUCTION && status != ARES_ECANCELLED) (*done)(status);
}

}  // namespace ua
