// SPDX-License-Identifier: Apache-2.0
// Runs the host samplers on a thread of their own, since a walk of all sockets takes tens of
// milliseconds and a file can hang. Owned by the Agent; latest() on any thread, the rest on the
// loop.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "agent/config/config.h"
#include "collectors/core/loop.h"
#include "collectors/host/samplers.h"

namespace ua {

class HostSampling {
 public:
  /// @param on_trouble once for each sampler that begins to fail, on the loop thread
  HostSampling(Loop& loop, const HostConfig& config,
               std::function<void(const SamplerRun&)> on_trouble);
  /// Waits at most a second for a sample that hangs, then leaves its thread behind.
  ~HostSampling();
  HostSampling(const HostSampling&) = delete;
  HostSampling& operator=(const HostSampling&) = delete;

  /// Null before the first sample is done.
  std::shared_ptr<const HostSnapshot> latest() const;

 private:
  struct Shared;
  void tick();
  static void work(const std::shared_ptr<Shared>& shared);

  Loop& loop_;
  Duration interval_;
  std::shared_ptr<Shared> shared_;
  Timer timer_;
  std::thread thread_;
};

}  // namespace ua
