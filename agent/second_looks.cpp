// SPDX-License-Identifier: Apache-2.0
#include "agent/second_looks.h"

#include <utility>

namespace ua {

SecondLooks::SecondLooks(Loop& loop, std::function<void(const TargetStatus&, Finding)> on_found)
    : loop_(loop), on_found_(std::move(on_found)) {}

SecondLooks::Key SecondLooks::key_of(const TargetStatus& status) {
  return status.upstream + '\n' + status.target + '\n' + status.address;
}

void SecondLooks::on_verdict(const TargetStatus& status) {
  const Key key = key_of(status);
  drop(key);  // it looks at what is no longer so
  {
    const std::lock_guard lock(mutex_);
    found_.erase(key);
  }
  const Time now = loop_.now();
  std::erase_if(last_, [now](const auto& entry) { return now - entry.second >= kAtMostEvery; });
  const auto target = parse_target(status.target);
  const bool wanted = status.verdict == Verdict::down && status.last && target &&
                      calls_for_follow_up(*target, *status.last);
  // Where a whole fleet goes down, a few say what there is to say.
  if (!wanted || last_.contains(key) || running_.size() >= kMostAtOnce) return;
  last_[key] = now;
  running_[key] = std::make_unique<FollowUp>(
      loop_, *target, *status.last, status.socket,
      [this, key, status](Finding finding) { on_done(key, status, finding); });
}

/// Freed in the next turn: this may be inside its own callback.
void SecondLooks::drop(const Key& key) {
  auto running = running_.extract(key);
  if (!running) return;
  over_.push_back(std::move(running.mapped()));
  over_.back()->give_up();
  discard_ = loop_.after(Duration::zero(), [this] { over_.clear(); });
}

void SecondLooks::on_done(const Key& key, const TargetStatus& status, Finding finding) {
  drop(key);
  if (finding == Finding::nothing) return;
  {
    const std::lock_guard lock(mutex_);
    if (found_.size() < kMostKept) found_[key] = {status.last->error, finding};
  }
  on_found_(status, finding);
}

Finding SecondLooks::found_for(const TargetStatus& status) const {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(key_of(status));
  const bool holds =
      found != found_.end() && status.last && status.last->error == found->second.first;
  return holds ? found->second.second : Finding::nothing;
}

}  // namespace ua
