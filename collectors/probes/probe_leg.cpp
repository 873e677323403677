// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_leg.h"

#include <netinet/in.h>

#include <cerrno>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/net/hiding_mount.h"
#include "collectors/probes/net/local_listener.h"
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

}  // namespace

std::vector<Endpoint> endpoints_of(const Resolved& resolved, std::uint16_t port) {
  std::vector<Endpoint> endpoints;
  for (const Endpoint& address : resolved.addresses) endpoints.push_back(with_port(address, port));
  return endpoints;
}

ProbeRun::Leg::Leg(ProbeRun& run, std::vector<Endpoint> endpoints)
    : run_(run), target_(run.target_), endpoints_(std::move(endpoints)) {
  outcome_.times = run.before_;
  if (run.options_.via) outcome_.proxy = run.options_.via->label;
}

void ProbeRun::Leg::expire() {
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

void ProbeRun::Leg::end() {
  finished_ = true;
  outcome_.times.set(TimedPhase::total, judged_at_.value_or(loop().now()) - run_.started_);
}

void ProbeRun::Leg::dial_next() {
  const Endpoint& endpoint = endpoints_[next_++];
  if (redirects_ == 0) outcome_.address = endpoint.text();
  dial_started_ = loop().now();
  run_.note([&] { return "connecting to " + endpoint.text(); });
  if (target_.connects_itself) {
    return hand_over({UniqueFd(), endpoint, dial_started_, run_.options_.socket});
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

DialFailure ProbeRun::Leg::give_up_dial() {
  DialFailure failure = dial_->give_up();
  if (!failure.icmp) note_listener(failure);
  dial_.reset();
  return failure;
}

void ProbeRun::Leg::note_listener(DialFailure& failure) const {
  const auto listener = local_listener(endpoints_[next_ - 1]);
  failure.queue_full = listener && listener->queue_full();
  failure.listening = listener.has_value();
}

/// Refused although this host listens there: a rule does that, or it listens since just now. The
/// second look tells.
bool ProbeRun::Leg::look_again(DialFailure& failure) {
  if (failure.error != ECONNREFUSED || failure.icmp || failure.unix_socket) return false;
  note_listener(failure);
  if (!failure.listening || looked_again_) return false;
  looked_again_ = true;
  --next_;
  retry_ = loop().after(Duration::zero(), [this] { dial_next(); });
  return true;
}

void ProbeRun::Leg::on_failed(DialFailure failure) {
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

void ProbeRun::Leg::fail_dial(const DialFailure& failure) {
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
void ProbeRun::Leg::check_hidden(Outcome& failed) const {
  const bool hidden_looks_like =
      failed.error == ErrorClass::connect_refused || failed.error == ErrorClass::permission_denied;
  if (!target_.is_unix() || !hidden_looks_like) return;
  auto explained = explain_hidden(target_.unix_path);
  if (!explained) return;
  failed.error = ErrorClass::config_invalid;
  failed.detail = "hidden_by_mount";
  failed.message = std::move(*explained);
}

void ProbeRun::Leg::take_failure() {
  if (best_failure_) {
    outcome_ = std::move(*best_failure_);
  } else {
    fail(ErrorClass::connect_timeout, "deadline");
  }
}

void ProbeRun::Leg::on_connected(Connection connection) {
  share_.cancel();
  outcome_.times.add(TimedPhase::connect, connection.connected_at - dial_started_);
  run_.engine_.connect_rate.count(connection.peer, connection.connected_at);
  run_.note([] { return "connected"; });
  hand_over(std::move(connection));
}

void ProbeRun::Leg::hand_over(Connection connection) {
  probe_ = run_.make_(run_.engine_, target_);
  // This runs inside the Dial's callback; it is dropped with the leg or by the next dial.
  probe_->start(std::move(connection),
                [this](ProbeResult result) { on_result(std::move(result)); });
}

void ProbeRun::Leg::on_result(ProbeResult result) {
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

void ProbeRun::Leg::follow() {
  probe_.reset();
  dial_.reset();
  if (run_.options_.via) return go_to(std::move(endpoints_));
  if (target_.is_unix()) return go_to({*unix_endpoint(target_.unix_path)});
  if (auto literal = ip_endpoint(target_.host, target_.port)) return go_to({*literal});
  query_ = run_.engine_.resolver.resolve(
      target_.host, run_.options_.ip_protocol, run_.deadline_,
      [this, asked = loop().now()](const Resolved& resolved) { on_resolved(resolved, asked); });
}

void ProbeRun::Leg::on_resolved(const Resolved& resolved, Time asked) {
  if (resolved.addresses.empty()) {
    fail(resolved.error, resolved.detail);
    return finish();
  }
  outcome_.times.add(TimedPhase::dns, loop().now() - asked);
  go_to(endpoints_of(resolved, target_.port));
}

void ProbeRun::Leg::go_to(std::vector<Endpoint> endpoints) {
  endpoints_ = std::move(endpoints);
  next_ = 0;
  best_failure_.reset();
  following_ = false;
  dial_next();
}

/// Joins what the exchange found to what is known already.
void ProbeRun::Leg::take(ProbeResult result) {
  Outcome& found = result.outcome;
  judged_at_ = result.judged_at;
  // What was handed to the kernel and never arrived was not sent in any time.
  if (found.error == ErrorClass::request_unacked) found.times.clear(TimedPhase::request);
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
void ProbeRun::Leg::check_accepting() {
  if (outcome_.error != ErrorClass::response_timeout || target_.is_unix()) return;
  const auto listener = local_listener(endpoints_[next_ - 1]);
  if (!listener || listener->waiting == 0) return;
  add_detail(outcome_, "not_accepting");
  outcome_.proxy_failed = run_.options_.via != nullptr;
}

void ProbeRun::Leg::fail(ErrorClass error, std::string_view detail) {
  outcome_.error = error;
  outcome_.detail = detail;
}

void ProbeRun::Leg::finish() {
  end();
  run_.leg_finished();
}

}  // namespace ua
