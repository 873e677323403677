// SPDX-License-Identifier: Apache-2.0
// The times of one probe as bars that follow one another, for whoever draws them. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "collectors/core/outcome.h"

namespace ua {

struct PhaseBar {
  std::string_view label;  ///< the phase, or "other": time that belongs to none, such as addresses
                           ///< tried in vain before
  double begin = 0;        ///< 0 to 1, of the total
  double length = 0;       ///< likewise; 0 for "other", which has no place of its own
  Duration time{};
  bool unfinished = false;  ///< the probe ended in this phase
};

/// In the order of the phases, without the total. Empty where the outcome has no total.
std::vector<PhaseBar> phase_bars(const Outcome& outcome);

}  // namespace ua
