// SPDX-License-Identifier: Apache-2.0
// One run of one target: resolve, connect (RFC 6724 order, one address after another or each for
// itself), speak, all under one deadline. Owned by the scheduler or the command line; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "collectors/core/outcome.h"
#include "collectors/probes/options.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/probe_types.h"
#include "collectors/probes/target.h"
#include "collectors/probes/transcript.h"

namespace ua {

class ProbeRun {
 public:
  /// One outcome; with AddressMode::all one for each address (at most kMaxAddresses), or a single
  /// one without an address where the name did not resolve.
  using Done = std::function<void(std::vector<Outcome>)>;

  static constexpr std::size_t kMaxAddresses = 16;
  static constexpr unsigned kMaxRedirects = 5;

  /// `target` and `make` must outlive the run.
  ProbeRun(ProbeEngine& engine, const Target& target, const ProbeMaker& make,
           const RunOptions& options);
  ~ProbeRun();
  ProbeRun(const ProbeRun&) = delete;
  ProbeRun& operator=(const ProbeRun&) = delete;

  /// `done` is called once, never from inside start(), at the latest when the time-out has passed.
  /// The run may be destroyed in it; destroying it earlier gives it up.
  void start(Done done);

 private:
  class Leg;

  /// What is connected to.
  const Target& first_hop() const { return options_.via ? *options_.via : target_; }
  /// @param text is made only where a transcript is kept
  template <typename Text>
  void note(Text text) const {
    if (engine_.transcript != nullptr) engine_.transcript->note(engine_.loop.now(), text());
  }
  void on_resolved(const Resolved& resolved);
  void make_legs(std::vector<Endpoint> endpoints);
  void on_deadline();
  void leg_finished();
  void fail_all(ErrorClass error, std::string detail);
  void deliver();

  ProbeEngine& engine_;
  const Target& target_;
  const ProbeMaker& make_;
  const RunOptions options_;
  Done done_;
  Time started_;
  Time deadline_;
  Timer deadline_timer_;
  Timer later_;
  Resolver::Query query_;
  PhaseTimes before_;  // the dns phase, shared by all legs
  unsigned addresses_ = 0;
  std::optional<Duration> ttl_;
  std::vector<std::unique_ptr<Leg>> legs_;
  std::size_t open_legs_ = 0;
  std::vector<Outcome> without_leg_;
};

}  // namespace ua
