// SPDX-License-Identifier: Apache-2.0
// Probes every target on its own fixed grid and hands the results on. Owned by the Agent; loop
// thread.
//
// The grid: a target runs at phase + k * interval of CLOCK_MONOTONIC, its phase being the hash of
// its name, so that targets are spread evenly and stay where they are across reloads and restarts.
// At the start each target also runs once early, at most one every 10 ms.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/metrics/agent_metrics.h"
#include "agent/metrics/probe_store.h"
#include "agent/scheduler/target_state.h"
#include "agent/scheduler/target_status.h"
#include "collectors/probes/probe_engine.h"

namespace ua {

class Scheduler {
 public:
  /// Where results go and what is asked about the host. All must outlive the scheduler.
  struct Surroundings {
    ProbeEngine& engine;
    ProbeStore& store;
    StatusBoard& board;
    AgentMetrics& metrics;
    std::function<bool()> has_default_route;
    /// After a verdict changed; for the log.
    std::function<void(const TargetStatus& status, Verdict before)> on_verdict;
  };

  Scheduler(Surroundings surroundings, unsigned max_in_flight);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Makes these the targets. One that was there before (same upstream, target and labels) keeps
  /// its counters, its state and its place in the grid; one that is gone ends with its series.
  void apply(const std::vector<UpstreamConfig>& upstreams, unsigned max_in_flight);

  std::size_t in_flight() const { return in_flight_; }
  /// How many results have come in.
  std::uint64_t results() const { return results_; }

 private:
  struct Plan;
  struct Series;
  struct Entry;
  using Key = std::string;

  Time next_slot(const Entry& entry, Time after) const;
  void arm(Entry& entry, Time when);
  void on_due(Entry& entry, Time planned);
  void launch(Entry& entry);
  void start_waiting();
  void on_outcomes(Entry& entry, std::vector<Outcome> outcomes, Duration stalled_before);
  void take(Entry& entry, Series& series, const Outcome& outcome, Duration stalled);
  void recheck_if_first_failure(Entry& entry, const Series& series);
  std::vector<Series*> series_for(Entry& entry, const Outcome& outcome);
  Series& add_series(Entry& entry, const std::string& address);
  void drop_series(Series& series);
  void drop_stale_addresses(Entry& entry);
  void publish(Entry& entry, Series& series, const Outcome& outcome, LocalTrouble trouble);
  void keep_ticking();

  Surroundings around_;
  unsigned max_in_flight_;
  std::map<Key, std::unique_ptr<Entry>> entries_;
  std::deque<Entry*> waiting_;  // due, but max_in_flight is reached
  std::size_t in_flight_ = 0;
  std::uint64_t results_ = 0;
  Timer tick_;  // while probes run, so that a pause of the process is noticed
};

}  // namespace ua
