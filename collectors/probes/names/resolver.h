// SPDX-License-Identifier: Apache-2.0
// Names to addresses on the loop: /etc/hosts, then for each name of the search list A and AAAA,
// asked apart, so that a SERVFAIL of one does not hide behind a NODATA of the other. A server's own
// error is reported only after the other servers were asked. Answers are kept for their TTL,
// failures not at all. Where nsswitch.conf names sources that c-ares does not know, "not found" is
// confirmed by the C library on a worker first. Owned by a ProbeEngine; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/core/error_class.h"
#include "collectors/core/loop.h"
#include "collectors/core/worker.h"
#include "collectors/probes/names/dns_channel.h"
#include "collectors/probes/names/hosts_file.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/options.h"

namespace ua {

struct Resolved {
  std::vector<Endpoint> addresses;  ///< port 0, in RFC 6724 order; empty on failure
  ErrorClass error = ErrorClass::none;
  std::string detail;           ///< "rcode_3", "errno_24"; "unconfirmed": the C library hung
  std::optional<Duration> ttl;  ///< left; absent for /etc/hosts
};

class Resolver {
  class Lookup;

 public:
  using Done = std::function<void(const Resolved&)>;

  /// Ends the wait when destroyed; the look-up itself goes on for others and for the cache.
  class Query {
   public:
    Query() = default;
    explicit Query(std::shared_ptr<Done> done, std::weak_ptr<const Lookup> lookup = {})
        : done_(std::move(done)), lookup_(std::move(lookup)) {}
    Query(Query&&) = default;
    Query& operator=(Query&& other) noexcept {
      cancel();
      done_ = std::move(other.done_);
      lookup_ = std::move(other.lookup_);
      return *this;
    }
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query() { cancel(); }
    void cancel() {
      if (done_) *done_ = nullptr;
      done_.reset();
    }
    /// Ends the wait where its time is up.
    /// @return what there is to say then: class and detail, "deadline" where nobody has answered
    std::pair<ErrorClass, std::string> give_up();

   private:
    std::shared_ptr<Done> done_;
    std::weak_ptr<const Lookup> lookup_;
  };

  explicit Resolver(Loop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// `done` is called once, never from inside resolve(), and not at `deadline`, which only says how
  /// long the second family may be waited for where the first has answered.
  [[nodiscard]] Query resolve(const std::string& name, IpProtocol protocol, Time deadline,
                              Done done);

  /// No configured server has answered anything for 10 s, or ever, a question that any can answer
  /// included: a failure is this host's.
  bool dead() const;

 private:
  using Key = std::pair<std::string, IpProtocol>;
  struct Cached {
    Resolved resolved;
    Time until;
  };

  void finish(Lookup& lookup);
  bool confirm(Lookup& lookup);
  void keep(const Key& key, const Resolved& resolved, Duration for_how_long);
  void answered() { last_answer_ = loop_.now(); }
  void ask_control();
  void refresh_configuration();
  void read_configuration();
  static std::string configuration_stamp();

  Loop& loop_;
  std::shared_ptr<DnsChannel> channel_;
  std::shared_ptr<DnsChannel> second_opinion_;  // null where there is one server only
  HostsFile hosts_;
  std::string stamp_;
  Time stamp_checked_;
  std::map<Key, Cached> cache_;
  std::size_t prune_at_ = 1000;
  std::map<Key, std::shared_ptr<Lookup>> lookups_;
  std::optional<Time> last_answer_;
  std::optional<Time> last_control_;
  bool other_sources_ = false;  // nsswitch.conf names some that c-ares lacks
  Worker worker_;
};

}  // namespace ua
