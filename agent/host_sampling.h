// SPDX-License-Identifier: Apache-2.0
// Runs the host samplers on a thread of their own, since a walk of all sockets takes tens of
// milliseconds and a file can hang. Owned by the Agent; latest() on any thread, the rest on the
// loop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "collectors/core/loop.h"
#include "collectors/host/proc_file.h"

namespace ua {

class HostSampling {
 public:
  /// Both on the loop thread.
  struct Callbacks {
    std::function<void(const SamplerRun&)> on_change;  ///< a sampler fails, or works again
    std::function<void()> on_first;  ///< when latest() is no longer null, the first time
  };
  HostSampling(Loop& loop, Duration interval, std::vector<std::unique_ptr<HostSampler>> samplers,
               Callbacks callbacks);
  /// Waits at most a second for a sample that hangs, then leaves its thread behind: a thread in a
  /// read of a dead NFS ends with the process at the earliest.
  ~HostSampling();
  HostSampling(const HostSampling&) = delete;
  HostSampling& operator=(const HostSampling&) = delete;

  /// Null before the first sample is done. Where a sample has not ended when the next one is due,
  /// that one is skipped and this holds no figures, only failed runs: old figures would pass for
  /// new.
  std::shared_ptr<const HostSnapshot> latest() const;

 private:
  struct Shared;
  void tick();
  void give_up_on_sample();
  static void work(const std::shared_ptr<Shared>& shared);

  Loop& loop_;
  Duration interval_;
  std::shared_ptr<Shared> shared_;
  Timer timer_;
  std::thread thread_;
};

}  // namespace ua
