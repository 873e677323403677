// SPDX-License-Identifier: Apache-2.0
// Follow-up checks of targets that went down: at most one a minute each. Owned by the Agent; loop
// thread, but for found_for().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/scheduler/target_status.h"
#include "collectors/probes/follow_up.h"

namespace ua {

class SecondLooks {
 public:
  /// @param on_found when something was found; for the log
  SecondLooks(Loop& loop, std::function<void(const TargetStatus&, Finding)> on_found);

  /// After a verdict changed.
  void on_verdict(const TargetStatus& status);

  /// What was found about this target, as long as it fails as it did then; any thread.
  Finding found_for(const TargetStatus& status) const;

  static constexpr Duration kAtMostEvery = 1min;
  static constexpr std::size_t kMostAtOnce = 16;
  static constexpr std::size_t kMostKept = 10'000;

 private:
  using Key = std::string;
  static Key key_of(const TargetStatus& status);
  void drop(const Key& key);
  void on_done(const Key& key, const TargetStatus& status, Finding finding);

  Loop& loop_;
  std::function<void(const TargetStatus&, Finding)> on_found_;
  std::map<Key, Time> last_;
  std::map<Key, std::unique_ptr<FollowUp>> running_;
  std::vector<std::unique_ptr<FollowUp>> over_;
  Timer discard_;
  mutable std::mutex mutex_;
  std::map<Key, std::pair<ErrorClass, Finding>> found_;
};

}  // namespace ua
