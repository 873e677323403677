// SPDX-License-Identifier: Apache-2.0
// What `probe` prints of one result: a report for people, or a line of JSON for programs. Pure.
#pragma once

#include <string>

#include "agent/cli/probe_jobs.h"
#include "collectors/core/outcome.h"

namespace ua {

/// Verdict, waterfall of phases, what to do, facts. Untrusted bytes are escaped.
/// @param second_look what a follow-up check found; may be empty
/// @param now what "days left" is counted from
std::string report_text(const ProbeJob& job, const Outcome& outcome, WallTime now, bool colour,
                        std::string_view second_look = "");

/// One object without a line break, ASCII only; the keys are described in upstream-agent(1) and are
/// always all there.
/// @param now when it was probed
std::string report_json(const ProbeJob& job, const Outcome& outcome, WallTime now,
                        std::string_view second_look = "");

/// Time, verdict, target, class, how long it took, details. Without a line break.
std::string report_line(const Target& target, const Outcome& outcome, WallTime now, bool colour);

}  // namespace ua
