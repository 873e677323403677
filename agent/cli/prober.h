// SPDX-License-Identifier: Apache-2.0
// Runs probes now, outside a schedule, and waits for them. Main thread of a command.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "agent/cli/probe_jobs.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/probe_run.h"

namespace ua {

class Prober {
 public:
  /// @param jobs outlive this
  /// @param signals as of take_signals(): one of them ends run() and wait(); -1: none does
  explicit Prober(const std::vector<ProbeJob>& jobs, int signals = -1);

  /// All jobs, some at once. @return the outcomes of each; of those that a signal kept from ending,
  ///     none
  std::vector<std::vector<Outcome>> run();

  /// What follow-up connections tell about a failure; empty for nothing.
  std::string_view look_again(const ProbeJob& job, const Outcome& outcome);

  /// @return false where a signal came
  bool wait(Duration time);

  bool interrupted() const { return interrupted_; }
  Time now() const { return loop_.now(); }
  WallTime wall_now() const { return loop_.wall_now(); }

 private:
  void start_next();
  void finished(std::size_t index, std::vector<Outcome> outcomes);

  const std::vector<ProbeJob>& jobs_;
  EpollLoop loop_;
  ProbeEngine engine_;
  std::vector<std::unique_ptr<ProbeRun>> runs_;
  std::vector<std::vector<Outcome>> outcomes_;
  std::size_t next_ = 0;
  std::size_t finished_ = 0;
  bool interrupted_ = false;
  Watch signal_watch_;
};

}  // namespace ua
