// SPDX-License-Identifier: Apache-2.0
// What the scheduler works with: the clock, the way to start a run, where results go, and what is
// asked about the host. Tests script the runs and the host in virtual time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/config/config.h"
#include "agent/metrics/agent_metrics.h"
#include "agent/metrics/probe_store.h"
#include "agent/scheduler/target_status.h"
#include "collectors/core/loop.h"

namespace ua {

class ProbeEngine;

/// Starts a run. Target and options stay where they are until it is over. `done` is called once,
/// never from inside the call; the run that is returned may be dropped in it, and dropping it
/// earlier gives the run up.
using RunDone = std::function<void(std::vector<Outcome>)>;
using StartRun = std::function<std::shared_ptr<void>(const TargetConfig& target,
                                                     const RunOptions& options, RunDone done)>;

/// Runs over the network. `engine` must outlive them.
StartRun start_probe_runs(ProbeEngine& engine);

/// All must outlive the scheduler.
struct Surroundings {
  Loop& loop;
  StartRun start_run;
  ProbeStore& store;
  StatusBoard& board;
  AgentMetrics& metrics;
  std::function<bool()> resolver_dead;
  std::function<bool()> has_default_route;
  /// After a verdict changed; for the log. May call Scheduler::apply().
  std::function<void(const TargetStatus& status, Verdict before)> on_verdict;
};

}  // namespace ua
