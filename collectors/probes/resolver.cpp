// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"
#include "collectors/probes/address_order.h"
#include "collectors/probes/nss.h"

namespace ua {
namespace {

constexpr Duration kDeadAfter = 10s;
constexpr Duration kTryTimeout = 1s;
constexpr int kTries = 3;
constexpr Duration kMaxTtl = 1h;
constexpr std::size_t kMaxCached = 100'000;
constexpr std::size_t kMaxNsswitch = 64UL * 1024;
constexpr Duration kConfirmTimeout = 2s;
constexpr Duration kConfirmedKept = 30s;  // the C library tells no TTL
constexpr std::size_t kMaxConfirming = 64;
constexpr std::size_t kMaxAddresses = 64;  // of one name; a hostile zone can list thousands

/// c-ares status to class and detail: DNS table of the error-class reference.
std::pair<ErrorClass, std::string> classify_status(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return {ErrorClass::dns_not_found, "rcode_3"};
    case ARES_ENODATA:
      return {ErrorClass::dns_not_found, "nodata"};
    case ARES_ETIMEOUT:
      return {ErrorClass::dns_timeout, "timeout"};
    case ARES_EFORMERR:
      return {ErrorClass::dns_failed, "rcode_1"};
    case ARES_ESERVFAIL:
      return {ErrorClass::dns_failed, "rcode_2"};
    case ARES_ENOTIMP:
      return {ErrorClass::dns_failed, "rcode_4"};
    case ARES_EREFUSED:
      return {ErrorClass::dns_failed, "rcode_5"};
    case ARES_ECONNREFUSED:
      return {ErrorClass::dns_failed, "server_unreachable"};
    case ARES_EBADNAME:
      return {ErrorClass::config_invalid, "bad_name"};
    default:
      return {ErrorClass::dns_failed, "ares_" + std::to_string(status)};
  }
}

/// Says that a server spoke. Not ARES_SUCCESS: that may come from /etc/hosts, which has no TTL.
bool is_answer(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_ESERVFAIL ||
         status == ARES_EREFUSED || status == ARES_ENOTIMP || status == ARES_EFORMERR;
}

/// A failure of one family must not be called "not found" because the other has no record.
bool worse(int a, int b) {
  const auto rank = [](int status) {
    if (status == ARES_ENODATA) return 0;
    if (status == ARES_ENOTFOUND) return 1;
    return status == ARES_ETIMEOUT ? 2 : 3;
  };
  return rank(a) > rank(b);
}

/// "localhost" and what ends in ".localhost" are this host's loopback (RFC 6761 section 6.3). Not
/// left to c-ares: 1.18 loses the memory of each such name.
bool is_localhost(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  constexpr std::string_view kName = "localhost";
  if (name.size() < kName.size() || !iequals(name.substr(name.size() - kName.size()), kName)) {
    return false;
  }
  return name.size() == kName.size() || name[name.size() - kName.size() - 1] == '.';
}

Resolved loopback(IpProtocol protocol) {
  Resolved resolved;
  if (protocol != IpProtocol::v4) resolved.addresses.push_back(*ip_endpoint("::1", 0));
  if (protocol != IpProtocol::v6) resolved.addresses.push_back(*ip_endpoint("127.0.0.1", 0));
  order_addresses(resolved.addresses);
  return resolved;
}

}  // namespace

/// One c-ares channel; replaced as a whole when resolv.conf changes, alive until its last look-up.
struct Resolver::Channel : std::enable_shared_from_this<Resolver::Channel> {
  explicit Channel(Loop& l) : loop(l) {
    ares_options options{};
    options.flags = ARES_FLAG_NOCHECKRESP;  // else SERVFAIL and REFUSED read as "no server"
    options.timeout = static_cast<int>(kTryTimeout / 1ms);
    options.tries = kTries;
    options.sock_state_cb = &Channel::on_socket_state;
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&ares, &options, mask) != ARES_SUCCESS) {
      throw std::runtime_error("c-ares could not start");
    }
  }
  ~Channel() { ares_destroy(ares); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  static void on_socket_state(void* data, ares_socket_t fd, int readable, int writable) noexcept {
    auto* self = static_cast<Channel*>(data);
    if (readable == 0 && writable == 0) {
      self->watches.erase(fd);
      return;
    }
    const std::uint32_t events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
    const auto it = self->watches.find(fd);
    if (it != self->watches.end()) {
      it->second.set(events);
      return;
    }
    self->watches.emplace(fd, self->loop.watch(fd, events, [self, fd](std::uint32_t ready) {
      const auto hold = self->shared_from_this();
      const bool read = (ready & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
      const bool write = (ready & EPOLLOUT) != 0;
      ares_process_fd(self->ares, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
      self->arm();
    }));
  }

  /// c-ares says when it next wants to look at its time-outs.
  void arm() {
    timeval buffer{};
    const timeval* wait = ares_timeout(ares, nullptr, &buffer);
    if (wait == nullptr) {
      timer.cancel();
      return;
    }
    timer = loop.after(
        std::chrono::seconds(wait->tv_sec) + std::chrono::microseconds(wait->tv_usec), [this] {
          const auto hold = shared_from_this();
          ares_process_fd(ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
          arm();
        });
  }

  Loop& loop;
  ares_channel ares = nullptr;
  std::map<int, Watch> watches;
  Timer timer;
};

struct Resolver::Lookup {
  Resolver* resolver = nullptr;
  Key key;
  std::shared_ptr<Channel> channel;
  std::list<std::shared_ptr<Done>> waiting;
  int open = 0;  // questions without an answer yet
  int status = ARES_SUCCESS;
  std::vector<Endpoint> addresses;
  std::optional<Duration> ttl;
  Timer finish_later;
  bool confirming = false;   // c-ares found nothing, the C library is being asked
  bool unconfirmed = false;  // it did not answer in time

  void tell(const Resolved& resolved) const {
    for (const auto& done : waiting) {
      const Done call = std::exchange(*done, nullptr);
      if (call) call(resolved);
    }
  }

  static void on_addresses(void* data, int status, int /*timeouts*/,
                           ares_addrinfo* result) noexcept {
    auto* self = static_cast<Lookup*>(data);
    if (result != nullptr) {
      self->take(*result);
      ares_freeaddrinfo(result);
    }
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    if (is_answer(status) || self->ttl) self->resolver->answered();
    if (status != ARES_SUCCESS && (self->status == ARES_SUCCESS || worse(status, self->status))) {
      self->status = status;
    }
    if (--self->open > 0) return;
    // Not from inside c-ares: finishing may drop the last hold on its channel.
    self->finish_later =
        self->resolver->loop_.after(Duration::zero(), [self] { self->resolver->finish(*self); });
  }

  void take(const ares_addrinfo& result) {
    for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
      if (addresses.size() >= kMaxAddresses) break;
      Endpoint endpoint;
      if (node->ai_addrlen > sizeof endpoint.storage) continue;
      std::memcpy(&endpoint.storage, node->ai_addr, node->ai_addrlen);
      endpoint.size = node->ai_addrlen;
      addresses.push_back(endpoint);
      if (node->ai_ttl <= 0) continue;  // from /etc/hosts, or not to be kept
      const Duration one = std::min<Duration>(std::chrono::seconds(node->ai_ttl), kMaxTtl);
      ttl = ttl ? std::min(*ttl, one) : one;
    }
  }
};

Resolver::Resolver(Loop& loop) : loop_(loop), worker_(loop, kMaxConfirming) {
  if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
    throw std::runtime_error("c-ares could not start");
  }
  channel_ = std::make_shared<Channel>(loop_);
  stamp_ = configuration_stamp();
  stamp_checked_ = loop_.now();
  read_sources();
}

Resolver::~Resolver() {
  channel_.reset();
  lookups_.clear();
  ares_library_cleanup();
}

bool Resolver::dead() const { return !last_answer_ || loop_.now() - *last_answer_ > kDeadAfter; }

std::string Resolver::configuration_stamp() const {
  std::string stamp;
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"}) {
    struct stat status {};
    if (::stat(path, &status) != 0) continue;
    stamp += std::to_string(status.st_ino) + '/' + std::to_string(status.st_mtim.tv_sec) + '.' +
             std::to_string(status.st_mtim.tv_nsec) + '/' + std::to_string(status.st_size) + ' ';
  }
  return stamp;
}

void Resolver::refresh_channel() {
  if (loop_.now() - stamp_checked_ < 1s) return;
  stamp_checked_ = loop_.now();
  std::string stamp = configuration_stamp();
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);
  cache_.clear();
  channel_ = std::make_shared<Channel>(loop_);
  read_sources();
}

void Resolver::read_sources() {
  const auto text = read_regular_file("/etc/nsswitch.conf", kMaxNsswitch);
  other_sources_ = text && names_other_sources(*text);
}

Resolver::Query Resolver::resolve(const std::string& name, IpProtocol protocol, Done done) {
  auto shared = std::make_shared<Done>(std::move(done));
  if (is_localhost(name)) {
    loop_.post([shared, protocol] {
      if (*shared) (*shared)(loopback(protocol));
    });
    return Query(shared);
  }
  refresh_channel();
  const Key key{name, protocol};
  const auto cached = cache_.find(key);
  if (cached != cache_.end() && cached->second.until > loop_.now()) {
    Resolved resolved = cached->second.resolved;
    if (resolved.ttl) resolved.ttl = cached->second.until - loop_.now();
    loop_.post([shared, resolved = std::move(resolved)] {
      if (*shared) (*shared)(resolved);
    });
    return Query(shared);
  }
  auto& lookup = lookups_[key];
  const bool first = lookup == nullptr;
  if (first) lookup = std::make_shared<Lookup>();
  lookup->waiting.push_back(shared);
  if (first) start(key);
  return Query(shared);
}

void Resolver::start(const Key& key) {
  Lookup& lookup = *lookups_[key];
  lookup.resolver = this;
  lookup.key = key;
  lookup.channel = channel_;
  std::vector<int> families;
  if (key.second != IpProtocol::v6) families.push_back(AF_INET);
  if (key.second != IpProtocol::v4) families.push_back(AF_INET6);
  lookup.open = static_cast<int>(families.size());
  for (const int family : families) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(lookup.channel->ares, key.first.c_str(), nullptr, &hints,
                     &Lookup::on_addresses, &lookup);
  }
  lookup.channel->arm();
}

/// Asks the C library where c-ares found nothing but does not know every source.
/// @return whether finish() follows later
bool Resolver::confirm(Lookup& lookup) {
  if (!other_sources_ || lookup.confirming) return false;
  const std::weak_ptr<Lookup> weak = lookups_.at(lookup.key);
  const bool asked = worker_.run([this, weak, key = lookup.key]() -> Worker::Then {
    std::vector<Endpoint> found = nss_addresses(key.first, key.second);
    return [this, weak, found = std::move(found)] {
      const auto waiting = weak.lock();
      if (!waiting) return;
      waiting->addresses = found;
      finish(*waiting);
    };
  });
  if (!asked) {
    lookup.unconfirmed = true;
    return false;
  }
  lookup.confirming = true;
  lookup.finish_later = loop_.after(kConfirmTimeout, [this, &lookup] {
    lookup.unconfirmed = true;
    finish(lookup);
  });
  return true;
}

void Resolver::finish(Lookup& lookup) {
  Resolved resolved;
  resolved.ttl = lookup.ttl;
  if (lookup.addresses.empty()) {
    const int status = lookup.status == ARES_SUCCESS ? ARES_ENODATA : lookup.status;
    std::tie(resolved.error, resolved.detail) = classify_status(status);
    if (resolved.error == ErrorClass::dns_not_found && confirm(lookup)) return;
    if (lookup.unconfirmed) resolved.detail += ",unconfirmed";
  } else {
    resolved.addresses = lookup.addresses;
    order_addresses(resolved.addresses);
    const auto kept = lookup.confirming ? std::optional(kConfirmedKept) : lookup.ttl;
    if (kept && cache_.size() < kMaxCached) {
      cache_[lookup.key] = Cached{resolved, loop_.now() + *kept};
    }
  }
  const auto node = lookups_.extract(lookup.key);  // may be asked again from inside a callback
  lookup.tell(resolved);
}

}  // namespace ua
