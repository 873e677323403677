// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/answer/pattern_match.h"

#include <string>
#include <utility>

namespace ua {
bool PatternMatch::start(ProbeEngine& engine, const AnswerPatterns& patterns,
                         std::string_view headers, std::string_view body, Done done) {
  if (match_steps(patterns, headers, body) <= kMaxStepsOnLoop) {
    done(find_mismatch(patterns, headers, body));
    return true;
  }
  const std::weak_ptr<bool> alive = alive_;
  return engine.matcher.run([alive, patterns, headers = std::string(headers),
                             body = std::string(body), done = std::move(done)]() -> Worker::Then {
    return [alive, done, mismatch = find_mismatch(patterns, headers, body)] {
      if (!alive.expired()) done(mismatch);
    };
  });
}

}  // namespace ua
