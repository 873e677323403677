// SPDX-License-Identifier: Apache-2.0
// The times of one probe as bars, a line a phase, each beginning where the one before ended. Pure.
#pragma once

#include <string>

#include "collectors/core/outcome.h"

namespace ua {

/// Scaled to the total, at most 78 columns. The phase in which a failed probe ended has a dotted
/// bar; time that belongs to no phase (addresses tried in vain before) is shown as `other`. Empty
/// where the outcome has no total.
std::string waterfall(const Outcome& outcome);

/// "0.539 ms", "12.345 s".
std::string show_time(Duration value);

}  // namespace ua
