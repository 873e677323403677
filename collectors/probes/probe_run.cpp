// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_run.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/dial.h"
#include "collectors/probes/hiding_mount.h"
#include "collectors/probes/local_listener.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/transcript.h"

namespace ua {
namespace {

/// Later in this order is further: of several failed connects the furthest counts.
int reach(ErrorClass error) { return static_cast<int>(phase_of(error)); }

Endpoint with_port(Endpoint endpoint, std::uint16_t port) {
  if (endpoint.family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&endpoint.storage)->sin_port = htons(port);
  } else if (endpoint.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&endpoint.storage)->sin6_port = htons(port);
  }
  return endpoint;
}

bool fits(const Endpoint& endpoint, IpProtocol protocol) {
  if (protocol == IpProtocol::any || endpoint.family() == AF_UNIX) return true;
  return endpoint.family() == (protocol == IpProtocol::v4 ? AF_INET : AF_INET6);
}

}  // namespace

/// The way to one result: a list of addresses tried in turn, then the exchange, then redirects.
class ProbeRun::Leg {
 public:
  Leg(ProbeRun& run, std::vector<Endpoint> endpoints)
      : run_(run), target_(run.target_), endpoints_(std::move(endpoints)) {
    outcome_.times = run.before_;
    if (run.options_.via) outcome_.proxy = run.options_.via->label;
  }

  void start() { dial_next(); }
  bool finished() const { return finished_; }
  const Outcome& outcome() const { return outcome_; }

  /// Time is up.
  void expire() {
    share_.cancel();
    retry_.cancel();
    const auto unresolved = query_.give_up();
    if (following_ && !probe_ && unresolved.first != ErrorClass::dns_timeout) {
      fail(unresolved.first, unresolved.second);
    } else if (following_) {  // between two hops, the next one's name perhaps being resolved
      fail(probe_ ? ErrorClass::response_timeout : ErrorClass::dns_timeout, "redirect");
    } else if (probe_) {
      ProbeResult result = probe_->cancel();
      probe_.reset();
      take(std::move(result));
    } else {
      // Between two addresses no dial is under way; the failure of the last one stands.
      if (dial_) fail_dial(give_up_dial());
      take_failure();
    }
    end();
  }

 private:
  void end() {
    finished_ = true;
    outcome_.times.set(TimedPhase::total, judged_at_.value_or(loop().now()) - run_.started_);
  }

  Loop& loop() const { return run_.engine_.loop; }

  void dial_next() {
    const Endpoint& endpoint = endpoints_[next_++];
    if (redirects_ == 0) outcome_.address = endpoint.text();
    dial_started_ = loop().now();
    run_.note([&] { return "connecting to " + endpoint.text(); });
    if (libcurl_connects(target_)) {
      const auto& socket = run_.options_.socket;
      return hand_over({UniqueFd(), endpoint, dial_started_, socket && socket->proxy_protocol});
    }
    // What is left of the time is shared out among the addresses still to be tried.
    const std::size_t left = endpoints_.size() - next_ + 1;
    if (left > 1) {
      const Duration share = (run_.deadline_ - dial_started_) / static_cast<int>(left);
      share_ = loop().after(share, [this] { on_share_used(); });
    }
    dial_ = std::make_unique<Dial>(
        loop(), endpoint, [this](Connection connection) { on_connected(std::move(connection)); },
        [this](DialFailure failure) { on_failed(failure); }, run_.options_.socket);
  }

  DialFailure give_up_dial() {
    DialFailure failure = dial_->give_up();
    if (!failure.icmp) note_listener(failure);
    dial_.reset();
    return failure;
  }

  void note_listener(DialFailure& failure) const {
    const auto listener = local_listener(endpoints_[next_ - 1]);
    failure.queue_full = listener && listener->queue_full();
    failure.listening = listener.has_value();
  }

  /// Refused although this host listens there: a rule does that, or it listens since just now. The
  /// second look tells.
  bool look_again(DialFailure& failure) {
    if (failure.error != ECONNREFUSED || failure.icmp || failure.unix_socket) return false;
    note_listener(failure);
    if (!failure.listening || looked_again_) return false;
    looked_again_ = true;
    --next_;
    retry_ = loop().after(Duration::zero(), [this] { dial_next(); });
    return true;
  }

  void on_share_used() { on_failed(give_up_dial()); }

  void on_failed(DialFailure failure) {
    share_.cancel();
    if (look_again(failure)) return;
    looked_again_ = false;
    fail_dial(failure);
    // The Dial may be what is calling: let it go only when the next one replaces it.
    if (next_ < endpoints_.size()) {
      retry_ = loop().after(Duration::zero(), [this] { dial_next(); });
      return;
    }
    take_failure();
    finish();
  }

  void fail_dial(const DialFailure& failure) {
    Outcome failed = outcome_;
    Classified classified = classify_dial(failure);
    failed.error = classified.error;
    failed.detail = std::move(classified.detail);
    if (failure.error != 0) failed.message = errno_text(failure.error);
    if (failure.option) failed.message = failure.option->text();
    failed.proxy_failed = run_.options_.via != nullptr;
    check_hidden(failed);
    run_.note(
        [&] { return "no connection: " + std::string(name(failed.error)) + ' ' + failed.detail; });
    if (!best_failure_ || reach(failed.error) > reach(best_failure_->error)) {
      best_failure_ = std::move(failed);
    }
  }

  /// A socket that the agent's own sandbox hides is no sign of trouble with the upstream.
  void check_hidden(Outcome& failed) const {
    const bool hidden_looks_like = failed.error == ErrorClass::connect_refused ||
                                   failed.error == ErrorClass::permission_denied;
    if (!target_.is_unix() || !hidden_looks_like) return;
    auto explained = explain_hidden(target_.unix_path);
    if (!explained) return;
    failed.error = ErrorClass::config_invalid;
    failed.detail = "hidden_by_mount";
    failed.message = std::move(*explained);
  }

  void take_failure() {
    if (best_failure_) {
      outcome_ = std::move(*best_failure_);
    } else {
      fail(ErrorClass::connect_timeout, "deadline");
    }
  }

  void on_connected(Connection connection) {
    share_.cancel();
    outcome_.times.add(TimedPhase::connect, connection.connected_at - dial_started_);
    run_.engine_.connect_rate.count(connection.peer, connection.connected_at);
    run_.note([] { return "connected"; });
    hand_over(std::move(connection));
  }

  void hand_over(Connection connection) {
    probe_ = run_.make_(run_.engine_, target_);
    // This runs inside the Dial's callback; it is dropped with the leg or by the next dial.
    probe_->start(std::move(connection),
                  [this](ProbeResult result) { on_result(std::move(result)); });
  }

  void on_result(ProbeResult result) {
    const std::optional<Target> hop = result.follow;
    take(std::move(result));
    if (!hop) return finish();
    if (++redirects_ > kMaxRedirects) {
      fail(ErrorClass::content_mismatch, "redirects");
      return finish();
    }
    target_ = *hop;
    following_ = true;
    run_.note([&] { return "redirected to " + target_.label; });
    // From here on all is about the next hop.
    outcome_.redirected_to = target_.label;
    if (outcome_.http) outcome_.http->redirects = redirects_;
    outcome_.tls.reset();
    // Not from inside the probe's callback: it is about to be replaced.
    retry_ = loop().after(Duration::zero(), [this] { follow(); });
  }

  void follow() {
    probe_.reset();
    dial_.reset();
    if (run_.options_.via) return go_to(std::move(endpoints_));
    if (target_.is_unix()) return go_to({*unix_endpoint(target_.unix_path)});
    if (auto literal = ip_endpoint(target_.host, target_.port)) return go_to({*literal});
    const Time asked = loop().now();
    query_ =
        run_.engine_.resolver.resolve(target_.host, run_.options_.ip_protocol, run_.deadline_,
                                      [this, asked](const Resolved& resolved) {
                                        if (resolved.addresses.empty()) {
                                          fail(resolved.error, resolved.detail);
                                          return finish();
                                        }
                                        outcome_.times.add(TimedPhase::dns, loop().now() - asked);
                                        std::vector<Endpoint> endpoints;
                                        for (const Endpoint& address : resolved.addresses) {
                                          endpoints.push_back(with_port(address, target_.port));
                                        }
                                        go_to(std::move(endpoints));
                                      });
  }

  void go_to(std::vector<Endpoint> endpoints) {
    endpoints_ = std::move(endpoints);
    next_ = 0;
    best_failure_.reset();
    following_ = false;
    dial_next();
  }

  /// Joins what the exchange found to what is known already.
  void take(ProbeResult result) {
    Outcome& found = result.outcome;
    judged_at_ = result.judged_at;
    for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
      const auto phase = static_cast<TimedPhase>(i);
      if (const auto value = found.times.get(phase)) outcome_.times.add(phase, *value);
    }
    outcome_.error = found.error;
    outcome_.detail = std::move(found.detail);
    outcome_.message = std::move(found.message);
    outcome_.server_name = std::move(found.server_name);
    outcome_.proxy_failed = found.proxy_failed;
    if (found.http) outcome_.http = found.http;
    if (found.tls) outcome_.tls = std::move(found.tls);
    if (outcome_.http) outcome_.http->redirects = redirects_;
    check_hidden(outcome_);
    check_accepting();
  }

  /// Whether whoever listens here takes connections at all.
  void check_accepting() {
    if (outcome_.error != ErrorClass::response_timeout || target_.is_unix()) return;
    const auto listener = local_listener(endpoints_[next_ - 1]);
    if (!listener || listener->waiting == 0) return;
    add_detail(outcome_, "not_accepting");
    outcome_.proxy_failed = run_.options_.via != nullptr;
  }

  void fail(ErrorClass error, std::string_view detail) {
    outcome_.error = error;
    outcome_.detail = detail;
  }

  void finish() {
    end();
    run_.leg_finished();
  }

  ProbeRun& run_;
  Target target_;
  std::vector<Endpoint> endpoints_;
  std::size_t next_ = 0;
  Time dial_started_;
  Timer share_;
  Timer retry_;
  Resolver::Query query_;
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<Probe> probe_;
  std::optional<Outcome> best_failure_;
  unsigned redirects_ = 0;
  bool looked_again_ = false;
  std::optional<Time> judged_at_;
  bool following_ = false;  // from a redirect until its target is being connected to
  bool finished_ = false;
  Outcome outcome_;
};

ProbeRun::ProbeRun(ProbeEngine& engine, const Target& target, const ProbeMaker& make,
                   const RunOptions& options)
    : engine_(engine), target_(target), make_(make), options_(options) {}

ProbeRun::~ProbeRun() = default;

void ProbeRun::start(Done done) {
  done_ = std::move(done);
  started_ = engine_.loop.now();
  deadline_ = started_ + options_.timeout;
  deadline_timer_ = engine_.loop.at(deadline_, [this] { on_deadline(); });
  const Target& first = first_hop();
  if (first.is_unix()) {
    if (const auto endpoint = unix_endpoint(first.unix_path)) return make_legs({*endpoint});
    return fail_all(ErrorClass::config_invalid, "socket_path_too_long");
  }
  if (const auto literal = ip_endpoint(first.host, first.port)) return make_legs({*literal});
  query_ = engine_.resolver.resolve(first.host, options_.ip_protocol, deadline_,
                                    [this](const Resolved& resolved) { on_resolved(resolved); });
}

void ProbeRun::on_resolved(const Resolved& resolved) {
  note([&] { return resolution_text(first_hop().host, resolved); });
  if (resolved.addresses.empty()) return fail_all(resolved.error, resolved.detail);
  before_.set(TimedPhase::dns, engine_.loop.now() - started_);
  addresses_ = static_cast<unsigned>(resolved.addresses.size());
  ttl_ = resolved.ttl;
  std::vector<Endpoint> endpoints;
  for (const Endpoint& address : resolved.addresses) {
    endpoints.push_back(with_port(address, first_hop().port));
  }
  make_legs(std::move(endpoints));
}

void ProbeRun::make_legs(std::vector<Endpoint> endpoints) {
  std::erase_if(endpoints, [this](const Endpoint& e) { return !fits(e, options_.ip_protocol); });
  if (endpoints.empty()) return fail_all(ErrorClass::config_invalid, "ip_protocol");
  if (options_.addresses == AddressMode::first) endpoints.resize(1);
  if (options_.addresses == AddressMode::all) {
    for (const Endpoint& endpoint : endpoints) {
      if (legs_.size() >= kMaxAddresses) break;
      legs_.push_back(std::make_unique<Leg>(*this, std::vector{endpoint}));
    }
  } else {
    legs_.push_back(std::make_unique<Leg>(*this, std::move(endpoints)));
  }
  open_legs_ = legs_.size();
  for (const auto& leg : legs_) leg->start();
}

void ProbeRun::fail_all(ErrorClass error, std::string detail) {
  Outcome outcome;
  outcome.error = error;
  outcome.detail = std::move(detail);
  without_leg_.push_back(std::move(outcome));
  later_ = engine_.loop.after(Duration::zero(), [this] { deliver(); });
}

void ProbeRun::on_deadline() {
  later_.cancel();
  const auto unresolved = query_.give_up();
  if (legs_.empty() && without_leg_.empty()) {
    Outcome outcome;
    std::tie(outcome.error, outcome.detail) = unresolved;
    without_leg_.push_back(std::move(outcome));
  }
  for (const auto& leg : legs_) {
    if (!leg->finished()) leg->expire();
  }
  deliver();
}

void ProbeRun::leg_finished() {
  // Leaves the leg's own call first: done_ may destroy the run.
  if (--open_legs_ == 0) later_ = engine_.loop.after(Duration::zero(), [this] { deliver(); });
}

void ProbeRun::deliver() {
  deadline_timer_.cancel();
  std::vector<Outcome> outcomes = std::move(without_leg_);
  for (const auto& leg : legs_) outcomes.push_back(leg->outcome());
  for (Outcome& outcome : outcomes) {
    if (legs_.empty() && options_.via) {  // its name did not lead anywhere
      outcome.proxy = options_.via->label;
      outcome.proxy_failed = true;
    }
    if (!outcome.times.get(TimedPhase::total)) {
      outcome.times.set(TimedPhase::total, engine_.loop.now() - started_);
    }
    const Duration total = *outcome.times.get(TimedPhase::total);
    outcome.addresses = addresses_;
    outcome.dns_ttl = ttl_;
    const bool slow = options_.slow_threshold && total > *options_.slow_threshold;
    if (outcome.error == ErrorClass::none && slow) {
      outcome.error = ErrorClass::slow_response;
      outcome.detail = "over_slow_threshold";
    }
  }
  const Done done = std::move(done_);
  done(std::move(outcomes));
}

}  // namespace ua
