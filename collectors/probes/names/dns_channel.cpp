// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/dns_channel.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

namespace ua {
namespace {

constexpr Duration kMaxTtl = 1h;
constexpr int kInternet = 1;  // class and types: RFC 1035 section 3.2, RFC 3596
constexpr int kTypeA = 1;
constexpr int kTypeNs = 2;
constexpr int kTypeAaaa = 28;
constexpr int kMaxAddresses = 64;  // of one name; a hostile zone can list thousands

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

void add(int family, const void* address, std::size_t size, int ttl, DnsChannel::Answer& to) {
  Endpoint endpoint;
  if (family == AF_INET) {
    auto& ip = reinterpret_cast<sockaddr_in&>(endpoint.storage);
    ip.sin_family = AF_INET;
    std::memcpy(&ip.sin_addr, address, size);
    endpoint.size = sizeof ip;
  } else {
    auto& ip = reinterpret_cast<sockaddr_in6&>(endpoint.storage);
    ip.sin6_family = AF_INET6;
    std::memcpy(&ip.sin6_addr, address, size);
    endpoint.size = sizeof ip;
  }
  to.addresses.push_back(endpoint);
  if (ttl <= 0) return;  // not to be kept
  const Duration one = std::min<Duration>(std::chrono::seconds(ttl), kMaxTtl);
  to.ttl = to.ttl ? std::min(*to.ttl, one) : one;
}

void read_addresses(int type, const std::uint8_t* message, int size, DnsChannel::Answer& answer) {
  int count = kMaxAddresses;
  if (type == kTypeA) {
    std::array<ares_addrttl, kMaxAddresses> found{};
    answer.status = ares_parse_a_reply(message, size, nullptr, found.data(), &count);
    if (answer.status != ARES_SUCCESS) return;
    for (const auto& one : std::span(found).first(static_cast<std::size_t>(count))) {
      add(AF_INET, &one.ipaddr, sizeof one.ipaddr, one.ttl, answer);
    }
  } else {
    std::array<ares_addr6ttl, kMaxAddresses> found{};
    answer.status = ares_parse_aaaa_reply(message, size, nullptr, found.data(), &count);
    if (answer.status != ARES_SUCCESS) return;
    for (const auto& one : std::span(found).first(static_cast<std::size_t>(count))) {
      add(AF_INET6, &one.ip6addr, sizeof one.ip6addr, one.ttl, answer);
    }
  }
  if (answer.addresses.empty()) answer.status = ARES_ENODATA;  // an alias of nothing
}

DnsChannel::Answer read_message(int type, const std::uint8_t* message, int size) {
  DnsChannel::Answer answer;
  answer.status = status_of_rcode(message[3] & 0x0fU);
  if (answer.status == ARES_SUCCESS && type != kTypeNs) read_addresses(type, message, size, answer);
  return answer;
}

}  // namespace

struct DnsChannel::Question {
  DnsChannel* channel;
  Done done;
  OnBadReply on_bad_reply = nullptr;
  int type = 0;
  std::vector<std::uint8_t> message = {};
  std::optional<std::uint16_t> id = std::nullopt;
};

DnsChannel::DnsChannel(Loop& loop, OnServerError on_server_error, const QueryTiming& timing)
    : loop_(loop) {
  ares_options options{};
  // The caller walks the search list: A and AAAA must not end at two different names.
  options.flags = ARES_FLAG_NOSEARCH;
  if (on_server_error == OnServerError::report) options.flags |= ARES_FLAG_NOCHECKRESP;
  static char only_servers[] = "b";  // the hosts file is read by the caller
  options.lookups = only_servers;
  options.timeout = static_cast<int>(timing.timeout / 1ms);
  options.tries = timing.tries;
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
  if (posing_ != nullptr && count == 1 && parts->iov_len >= 2) {
    const auto* start = static_cast<const std::uint8_t*>(parts->iov_base);
    Question* question = std::exchange(posing_, nullptr);
    question->id = static_cast<std::uint16_t>(start[0] << 8 | start[1]);
    by_id_[*question->id] = question;
  }
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
  const ssize_t got = ::recvfrom(fd, buffer, size, flags, from, from_size);
  const bool datagram = from != nullptr && got > 0;
  if (datagram && !look_at(static_cast<std::uint8_t*>(buffer), static_cast<std::size_t>(got))) {
    errno = EAGAIN;
    return -1;
  }
  return got;
}

/// c-ares drops without a word what is no reply, and takes a question that comes back for one. The
/// socket is connected: the datagram is the server's.
/// @return whether c-ares is to see it
bool DnsChannel::look_at(const std::uint8_t* datagram, std::size_t size) const {
  if (size < 2) return true;
  const auto asked = by_id_.find(static_cast<std::uint16_t>(datagram[0] << 8 | datagram[1]));
  if (asked == by_id_.end()) return true;
  if (is_reply_to(asked->second->message, std::span(datagram, size))) return true;
  if (asked->second->on_bad_reply) asked->second->on_bad_reply();
  return false;
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

void DnsChannel::ask(const std::string& name, int family, Done done, OnBadReply on_bad_reply) {
  local_error_ = 0;
  pose(name, family == AF_INET ? kTypeA : kTypeAaaa,
       std::make_unique<Question>(Question{this, std::move(done), std::move(on_bad_reply)}));
}

void DnsChannel::ask_control(Done done) {
  pose(".", kTypeNs, std::make_unique<Question>(Question{this, std::move(done)}));
}

/// Not by ares_getaddrinfo(), which takes each RCODE that it has no name for for "no data".
void DnsChannel::pose(const std::string& name, int type, std::unique_ptr<Question> question) {
  std::uint8_t* message = nullptr;
  int size = 0;
  const int made =
      ares_create_query(name.c_str(), kInternet, type, unused_id(), 1, &message, &size, 0);
  if (made != ARES_SUCCESS) return question->done(Answer{made, {}, {}, 0});
  question->type = type;
  question->message.assign(message, message + size);
  posing_ = question.get();
  ares_send(ares_, message, size, &DnsChannel::on_answer, question.release());
  posing_ = nullptr;
  ares_free_string(message);
  arm();
}

std::uint16_t DnsChannel::unused_id() const {
  constexpr std::size_t kCrowded = 0x8000;  // c-ares also compares the question
  std::uint16_t id = 0;
  do {
    if (::getrandom(&id, sizeof id, 0) != sizeof id) throw std::runtime_error("no random bytes");
  } while (by_id_.contains(id) && by_id_.size() < kCrowded);
  return id;
}

void DnsChannel::on_answer(void* data, int status, int /*timeouts*/, std::uint8_t* message,
                           int size) noexcept {
  const std::unique_ptr<Question> question(static_cast<Question*>(data));
  DnsChannel& self = *question->channel;
  if (self.posing_ == question.get()) self.posing_ = nullptr;
  const auto known = question->id ? self.by_id_.find(*question->id) : self.by_id_.end();
  if (known != self.by_id_.end() && known->second == question.get()) self.by_id_.erase(known);
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
  Answer answer;
  answer.status = status;
  if (status == ARES_SUCCESS) answer = read_message(question->type, message, size);
  if (answer.status != ARES_SUCCESS) answer.local_error = self.local_error_;
  question->done(answer);
}

}  // namespace ua
