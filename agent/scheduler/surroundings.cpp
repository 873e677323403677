// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/surroundings.h"

#include "collectors/probes/probe_run.h"

namespace ua {

StartRun start_probe_runs(ProbeEngine& engine) {
  return [&engine](const TargetConfig& target, const RunOptions& options, RunDone done) {
    RunOptions own = options;
    own.via = target.via;
    auto run = std::make_shared<ProbeRun>(engine, target.target, target.make, own);
    run->start(std::move(done));
    return run;
  };
}

}  // namespace ua
