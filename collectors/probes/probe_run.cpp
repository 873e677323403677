// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_run.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "collectors/probes/probe_leg.h"

namespace ua {
namespace {

bool fits(const Endpoint& endpoint, IpProtocol protocol) {
  if (protocol == IpProtocol::any || endpoint.family() == AF_UNIX) return true;
  return endpoint.family() == (protocol == IpProtocol::v4 ? AF_INET : AF_INET6);
}

}  // namespace

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
  make_legs(endpoints_of(resolved, first_hop().port));
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
