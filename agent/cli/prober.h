// SPDX-License-Identifier: Apache-2.0
// Runs probes now, outside a schedule, and waits for them. Main thread of a command.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/probe_jobs.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/probe_run.h"
#include "collectors/probes/transcript.h"

namespace ua {

/// What one job has come to.
struct ProbeFinding {
  std::vector<Outcome> outcomes;  ///< none where a signal kept it from ending
  std::string transcript;         ///< whole lines; empty where none was asked for
};

class Prober {
 public:
  struct Options {
    bool transcripts = false;  ///< then one job runs at a time
    int signals = -1;          ///< of take_signals(): one ends run() and wait(); -1: none does
  };
  /// @param jobs outlive this
  Prober(const std::vector<ProbeJob>& jobs, Options options);

  /// All jobs, some at once. @return what each has come to, in their order
  std::vector<ProbeFinding> run();

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
  const Options options_;
  EpollLoop loop_;
  std::optional<Transcript> transcript_;
  ProbeEngine engine_;
  std::vector<std::unique_ptr<ProbeRun>> runs_;
  std::vector<ProbeFinding> findings_;
  std::size_t next_ = 0;
  std::size_t finished_ = 0;
  bool interrupted_ = false;
  Watch signal_watch_;
};

}  // namespace ua
