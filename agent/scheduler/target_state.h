// SPDX-License-Identifier: Apache-2.0
// What rise and fall make of one row of results, and when a failure is this host's own. Pure
// values; no clock, no loop.
//
//   verdict   result                          becomes
//   unknown   `rise` successes in a row       up
//   unknown   `fall` failures in a row        down
//   up        `fall` failures in a row        down
//   down      `rise` successes in a row       up
//   any       local trouble                   unchanged, and the row goes on where it was
#pragma once

#include "agent/scheduler/target_status.h"
#include "collectors/core/outcome.h"

namespace ua {

/// What the host looked like while a probe ran.
struct HostCircumstances {
  bool resolver_dead = false;
  bool no_default_route = false;
  Duration stalled{};  ///< how long the loop was held up during the run
};

/// Why a failure must not count against the upstream; `none` for a success.
LocalTrouble local_trouble(const Outcome& outcome, const HostCircumstances& host, Duration timeout);

class RiseFall {
 public:
  /// @return the verdict after this result
  Verdict take(bool success, LocalTrouble trouble, unsigned rise, unsigned fall);
  Verdict verdict() const { return verdict_; }
  /// Failures in a row that counted.
  unsigned failures() const { return failures_; }

 private:
  Verdict verdict_ = Verdict::unknown;
  unsigned successes_ = 0;
  unsigned failures_ = 0;
};

}  // namespace ua
