// SPDX-License-Identifier: Apache-2.0
// The way to one result of a ProbeRun: a list of addresses tried in turn, then the exchange, then
// redirects. Owned by its run; loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/probes/names/resolver.h"
#include "collectors/probes/net/dial.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_run.h"

namespace ua {

/// What a name has come to, with a port.
std::vector<Endpoint> endpoints_of(const Resolved& resolved, std::uint16_t port);

class ProbeRun::Leg {
 public:
  Leg(ProbeRun& run, std::vector<Endpoint> endpoints);

  void start() { dial_next(); }
  bool finished() const { return finished_; }
  const Outcome& outcome() const { return outcome_; }

  void expire();  ///< time is up

 private:
  void end();
  Loop& loop() const { return run_.engine_.loop; }

  void dial_next();
  DialFailure give_up_dial();
  void note_listener(DialFailure& failure) const;
  bool look_again(DialFailure& failure);
  void on_share_used() { on_failed(give_up_dial()); }
  void on_failed(DialFailure failure);
  void fail_dial(const DialFailure& failure);
  void check_hidden(Outcome& failed) const;
  void take_failure();
  void on_connected(Connection connection);
  void hand_over(Connection connection);
  void on_result(ProbeResult result);
  void follow();
  void on_resolved(const Resolved& resolved, Time asked);
  void go_to(std::vector<Endpoint> endpoints);
  void take(ProbeResult result);
  void check_accepting();
  void fail(ErrorClass error, std::string_view detail);
  void finish();

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

}  // namespace ua
