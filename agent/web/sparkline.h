// SPDX-License-Identifier: Apache-2.0
// The last hours of one target as a small drawing: a step a slot as high as its slowest success,
// and a red bar where probes failed. SVG without a style of its own. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/scheduler/target_history.h"

namespace ua {

/// @param slots the oldest first. Empty where none has a probe.
std::string sparkline_svg(const std::vector<TargetHistory::Slot>& slots);

/// The same in words: "in the last 4 h 3 of 960 probes failed, the slowest success took 120 ms".
std::string history_in_words(const std::vector<TargetHistory::Slot>& slots);

}  // namespace ua
