// SPDX-License-Identifier: Apache-2.0
// Matches an answer against its patterns: at once where that is cheap, on a worker where it would
// hold up the loop. Owned by a probe; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "collectors/probes/answer/answer_match.h"
#include "collectors/probes/probe_engine.h"

namespace ua {

class PatternMatch {
 public:
  /// With what find_mismatch() found; at most once, perhaps from inside start().
  using Done = std::function<void(const std::optional<Mismatch>&)>;

  /// Destroying it gives it up, without a call.
  PatternMatch() = default;
  PatternMatch(const PatternMatch&) = delete;
  PatternMatch& operator=(const PatternMatch&) = delete;

  /// @return false where too much is being matched already; `done` is not called then
  bool start(ProbeEngine& engine, const AnswerPatterns& patterns, std::string_view headers,
             std::string_view body, Done done);

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what the worker hands back
};

}  // namespace ua
