// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/resolver.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"
#include "collectors/probes/names/address_order.h"
#include "collectors/probes/names/dns_classify.h"
#include "collectors/probes/names/nss.h"

namespace ua {
namespace {

constexpr Duration kDeadAfter = 10s;
constexpr Duration kControlEvery = 5s;
constexpr std::size_t kMaxCached = 100'000;
constexpr std::size_t kMaxConfigurationFile = 16UL * 1024 * 1024;
constexpr Duration kMaxGrace = 1s;
constexpr Duration kConfirmTimeout = 2s;
constexpr Duration kConfirmedKept = 30s;  // the C library tells no TTL
constexpr std::size_t kMaxConfirming = 64;

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

std::vector<int> families(IpProtocol protocol) {
  if (protocol == IpProtocol::any) return {AF_INET, AF_INET6};
  return {protocol == IpProtocol::v4 ? AF_INET : AF_INET6};
}

Resolved loopback(IpProtocol protocol) {
  Resolved resolved;
  if (protocol != IpProtocol::v4) resolved.addresses.push_back(*ip_endpoint("::1", 0));
  if (protocol != IpProtocol::v6) resolved.addresses.push_back(*ip_endpoint("127.0.0.1", 0));
  order_addresses(resolved.addresses);
  return resolved;
}

}  // namespace

/// One name on its way through the search list. Callbacks of c-ares hold it weakly: it may end
/// before they come.
class Resolver::Lookup : public std::enable_shared_from_this<Resolver::Lookup> {
 public:
  Lookup(Resolver& resolver, Key asked)
      : key(std::move(asked)),
        resolver_(resolver),
        candidates_(search_candidates(key.first, resolver.channel_->search_domains(),
                                      resolver.channel_->ndots())) {}

  void start() { ask(resolver_.channel_); }
  void tell(const Resolved& resolved) const {
    for (const Waiting& one : waiting_) {
      const Done call = std::exchange(*one.done, nullptr);
      if (call) call(resolved);
    }
  }

  void join(std::shared_ptr<Done> done, Time deadline) {
    waiting_.push_back(Waiting{std::move(done), deadline});
    if (grace_ends_) wait_a_little();
  }

  std::pair<ErrorClass, std::string> so_far() const {
    int known = is_worse(round_, status) ? round_ : status;
    if (asked_again_) known = first_opinion_;
    const int silence = bad_reply_ ? ARES_EBADRESP : ARES_ETIMEOUT;
    if (open_ > 0 && is_worse(silence, known)) known = silence;
    auto result = classify_dns(known, local_error);
    if (result.first == ErrorClass::dns_timeout) result.second = "deadline";
    if (confirming) result.second += ",unconfirmed";
    return result;
  }

  const Key key;
  std::vector<Endpoint> addresses;
  std::optional<Duration> ttl;
  int status = ARES_ENODATA;  // the worst of all names asked for
  int local_error = 0;
  Timer later;
  bool confirming = false;   // c-ares found nothing, the C library is being asked
  bool unconfirmed = false;  // it did not answer in time
  bool partial = false;      // one family was not waited for any longer

 private:
  struct Waiting {
    std::shared_ptr<Done> done;
    Time deadline;
  };

  void ask(const std::shared_ptr<DnsChannel>& channel) {
    channel_ = channel;
    round_ = ARES_ENODATA;
    bad_reply_ = false;
    open_ = key.second == IpProtocol::any ? 2 : 1;
    for (const int family : families(key.second)) {
      channel->ask(
          candidates_[next_], family,
          [weak = weak_from_this(), round = round_number_](const auto& answer) {
            if (const auto self = weak.lock()) self->take(round, answer);
          },
          [weak = weak_from_this(), round = round_number_] {
            const auto self = weak.lock();
            if (self && round == self->round_number_) self->bad_reply_ = true;
          });
    }
  }

  void take(unsigned round, const DnsChannel::Answer& answer) {
    if (is_answer(answer.status)) resolver_.answered();
    if (round != round_number_) return;  // was not waited for
    const bool bad = answer.status == ARES_ETIMEOUT && bad_reply_;
    const int said = bad ? ARES_EBADRESP : answer.status;
    addresses.insert(addresses.end(), answer.addresses.begin(), answer.addresses.end());
    if (answer.ttl) ttl = ttl ? std::min(*ttl, *answer.ttl) : answer.ttl;
    if (said != ARES_SUCCESS && is_worse(said, round_)) round_ = said;
    if (answer.local_error != 0) local_error = answer.local_error;
    --open_;
    const bool will_do = !addresses.empty() || said == ARES_ENOTFOUND;
    if (open_ > 0 && will_do) wait_a_little();
    if (open_ > 0) return;
    // Not from inside c-ares: what follows may drop the last hold on its channel.
    later = resolver_.loop_.after(Duration::zero(), [this] { end_round(); });
  }

  /// For the other family, where what is known will do: addresses, or that there is no such name.
  void wait_a_little() {
    const Time now = resolver_.loop_.now();
    Time end = std::min(grace_ends_.value_or(Time::max()), now + kMaxGrace);
    for (const Waiting& one : waiting_) {
      if (*one.done) end = std::min(end, now + (one.deadline - now) / 4);
    }
    grace_ends_ = end;
    later = resolver_.loop_.at(end, [this] { end_round(); });
  }

  void end_round() {
    partial = open_ > 0;
    open_ = 0;
    ++round_number_;
    grace_ends_.reset();
    if (!addresses.empty()) return resolver_.finish(*this);
    if (is_server_error(round_) && resolver_.second_opinion_ && !asked_again_) {
      asked_again_ = true;
      first_opinion_ = round_;
      return ask(resolver_.second_opinion_);
    }
    // Where no server knows, the first one's RCODE says most.
    if (asked_again_ && !is_not_found(round_)) round_ = first_opinion_;
    asked_again_ = false;
    if (is_worse(round_, status) || next_ == 0) status = round_;
    const bool silent = round_ == ARES_ETIMEOUT || bad_reply_;
    const bool go_on = !silent && ++next_ < candidates_.size();
    if (go_on) return ask(resolver_.channel_);
    resolver_.finish(*this);
  }

  Resolver& resolver_;
  std::list<Waiting> waiting_;
  std::vector<std::string> candidates_;
  std::shared_ptr<DnsChannel> channel_;  // kept for as long as its answers are waited for
  std::size_t next_ = 0;
  int open_ = 0;  // questions of this round without an answer yet
  int round_ = ARES_ENODATA;
  unsigned round_number_ = 0;
  bool bad_reply_ = false;  // to a question of this round
  std::optional<Time> grace_ends_;
  bool asked_again_ = false;
  int first_opinion_ = ARES_SUCCESS;
};

std::pair<ErrorClass, std::string> Resolver::Query::give_up() {
  cancel();
  const auto lookup = lookup_.lock();
  return lookup ? lookup->so_far() : std::pair{ErrorClass::dns_timeout, std::string("deadline")};
}

Resolver::Resolver(Loop& loop) : loop_(loop), worker_(loop, kMaxConfirming) {
  if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
    throw std::runtime_error("c-ares could not start");
  }
  stamp_ = configuration_stamp();
  stamp_checked_ = loop_.now();
  read_configuration();
}

Resolver::~Resolver() {
  lookups_.clear();
  channel_.reset();
  second_opinion_.reset();
  ares_library_cleanup();
}

bool Resolver::dead() const { return !last_answer_ || loop_.now() - *last_answer_ > kDeadAfter; }

std::string Resolver::configuration_stamp() {
  std::string stamp;
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"}) {
    struct stat status {};
    if (::stat(path, &status) != 0) continue;
    stamp += std::to_string(status.st_ino) + '/' + std::to_string(status.st_mtim.tv_sec) + '.' +
             std::to_string(status.st_mtim.tv_nsec) + '/' + std::to_string(status.st_size) + ' ';
  }
  return stamp;
}

void Resolver::refresh_configuration() {
  if (loop_.now() - stamp_checked_ < 1s) return;
  stamp_checked_ = loop_.now();
  std::string stamp = configuration_stamp();
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);
  cache_.clear();
  read_configuration();
}

void Resolver::read_configuration() {
  using enum DnsChannel::OnServerError;
  const auto resolv_conf = read_regular_file("/etc/resolv.conf", kMaxConfigurationFile);
  const QueryTiming timing = resolv_conf ? query_timing(*resolv_conf) : QueryTiming();
  channel_ = std::make_shared<DnsChannel>(loop_, report, timing);
  second_opinion_ =
      channel_->servers() > 1 ? std::make_shared<DnsChannel>(loop_, ask_next, timing) : nullptr;
  const auto hosts = read_regular_file("/etc/hosts", kMaxConfigurationFile);
  if (hosts) hosts_ = HostsFile(*hosts);
  if (!hosts && hosts.error().code == ENOENT) hosts_ = HostsFile();
  const auto sources = read_regular_file("/etc/nsswitch.conf", kMaxConfigurationFile);
  other_sources_ = sources && names_other_sources(*sources);
}

Resolver::Query Resolver::resolve(const std::string& name, IpProtocol protocol, Time deadline,
                                  Done done) {
  auto shared = std::make_shared<Done>(std::move(done));
  const auto answer_later = [&](Resolved resolved) {
    loop_.post([shared, resolved = std::move(resolved)] {
      const Done call = std::exchange(*shared, nullptr);
      if (call) call(resolved);
    });
    return Query(shared);
  };
  if (is_localhost(name)) return answer_later(loopback(protocol));
  refresh_configuration();
  Resolved from_hosts;
  from_hosts.addresses = hosts_.find(name, protocol);
  if (!from_hosts.addresses.empty()) {
    order_addresses(from_hosts.addresses);
    return answer_later(std::move(from_hosts));
  }
  const Key key{name, protocol};
  const auto cached = cache_.find(key);
  if (cached != cache_.end() && cached->second.until > loop_.now()) {
    Resolved resolved = cached->second.resolved;
    if (resolved.ttl) resolved.ttl = cached->second.until - loop_.now();
    return answer_later(std::move(resolved));
  }
  ask_control();
  auto& lookup = lookups_[key];
  const bool first = lookup == nullptr;
  if (first) lookup = std::make_shared<Lookup>(*this, key);
  lookup->join(shared, deadline);
  const std::weak_ptr<const Lookup> weak = lookup;
  if (first) lookup->start();
  return Query(shared, weak);
}

/// A zone that hangs must not pass for a resolver that does: one that is silent about every name is
/// asked what any resolver knows.
void Resolver::ask_control() {
  const Time now = loop_.now();
  if (last_answer_ && now - *last_answer_ < kControlEvery) return;
  if (last_control_ && now - *last_control_ < kControlEvery) return;
  last_control_ = now;
  channel_->ask_control([this](const auto& answer) {
    if (is_answer(answer.status)) answered();
  });
}

/// Asks the C library where c-ares found nothing but does not know every source.
/// @return whether finish() follows later
bool Resolver::confirm(Lookup& lookup) {
  if (!other_sources_ || lookup.confirming) return false;
  const std::weak_ptr<Lookup> weak = lookup.weak_from_this();
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
  lookup.later = loop_.after(kConfirmTimeout, [this, &lookup] {
    lookup.unconfirmed = true;
    finish(lookup);
  });
  return true;
}

void Resolver::finish(Lookup& lookup) {
  Resolved resolved;
  resolved.ttl = lookup.ttl;
  if (lookup.addresses.empty()) {
    std::tie(resolved.error, resolved.detail) = classify_dns(lookup.status, lookup.local_error);
    if (resolved.error == ErrorClass::dns_not_found && confirm(lookup)) return;
    if (lookup.unconfirmed) resolved.detail += ",unconfirmed";
  } else {
    resolved.addresses = lookup.addresses;
    order_addresses(resolved.addresses);
    const auto kept = lookup.confirming ? std::optional<Duration>(kConfirmedKept) : lookup.ttl;
    if (kept && !lookup.partial) keep(lookup.key, resolved, *kept);
  }
  const auto node = lookups_.extract(lookup.key);  // may be asked again from inside a callback
  lookup.tell(resolved);
}

void Resolver::keep(const Key& key, const Resolved& resolved, Duration for_how_long) {
  const Time now = loop_.now();
  if (cache_.size() >= prune_at_) {
    std::erase_if(cache_, [now](const auto& entry) { return entry.second.until <= now; });
    prune_at_ = std::max<std::size_t>(1000, 2 * cache_.size());
  }
  if (cache_.size() < kMaxCached) cache_[key] = Cached{resolved, now + for_how_long};
}

}  // namespace ua
