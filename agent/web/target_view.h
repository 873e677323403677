// SPDX-License-Identifier: Apache-2.0
// How the status page shows one target: a card where there is something to do, else a row that
// opens. HTML. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/scheduler/target_status.h"

namespace ua {

struct TargetView {
  const TargetStatus& status;
  std::string_view second_look;  ///< a sentence; empty for nothing
  unsigned siblings = 0;         ///< other targets of the same upstream
  unsigned failing_siblings = 0;
  WallTime now;
  Time history_until;  ///< the same moment on the clock of the history
};

std::string target_html(const TargetView& view);

}  // namespace ua
