// SPDX-License-Identifier: Apache-2.0
// Loads what the agent runs with on a worker, one load at a time, so that neither a large
// configuration nor a dead file system holds up the probes. On the loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "agent/load.h"
#include "collectors/core/loop.h"
#include "collectors/core/worker.h"

namespace ua {

class Reloader {
 public:
  using Load = std::function<LoadResult()>;
  using Done = std::function<void(const Result<std::string>&)>;
  struct Surroundings {
    /// Before each load. What it returns runs on the worker, at times beyond the Reloader's end, so
    /// that it must own all it uses.
    std::function<Load()> begin;
    std::function<void()> slow;  ///< once for a load that takes longer than kPatience
    std::function<Result<std::string>(LoadResult)>
        finish;  ///< puts it into use; the answer to Done
  };
  static constexpr Duration kPatience = 10s;

  Reloader(Loop& loop, Surroundings surroundings);

  /// A load that runs may have read the files before they changed, so that a request made meanwhile
  /// is answered by one more load, which all such requests share.
  void request(Done done);

 private:
  void begin();
  void finish(LoadResult loaded);

  Loop& loop_;
  Surroundings around_;
  bool loading_ = false;
  std::vector<Done> answered_by_this_;
  std::vector<Done> answered_by_next_;
  Timer patience_;
  Worker worker_;  // last: ends first
};

/// The load before there is an agent.
/// @param signals from take_signals(). SIGHUP loads once more
/// @return nullopt where another signal came first
std::optional<LoadResult> first_load(const Reloader::Load& load, int signals);

}  // namespace ua
