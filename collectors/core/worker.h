// SPDX-License-Identifier: Apache-2.0
// One thread for what may block (a look-up in the C library, a file on a dead file system), one job
// after another; what a job found goes on on the loop. The owner and all calls are on the loop's
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

#include "collectors/core/loop.h"

namespace ua {

class Worker {
 public:
  using Then = std::function<void()>;
  /// Runs on the worker; what it returns runs on the loop's thread, unless the Worker is gone.
  using Job = std::function<Then()>;

  /// The thread starts with the first job.
  /// @param max_waiting jobs that may wait behind the one at work
  Worker(Loop& loop, std::size_t max_waiting);
  /// Drops the jobs not begun. Waits at most `kPatience` for the one at work, then leaves its
  /// thread behind: a thread in a read of a dead NFS ends with the process at the earliest. Such a
  /// job must not refer to anything of its owner's.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  static constexpr Duration kPatience = 250ms;  ///< three of them end one after another

  /// @return false where too many jobs wait already; the job is dropped then
  [[nodiscard]] bool run(Job job);

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace ua
