// SPDX-License-Identifier: Apache-2.0
// All that is known at one moment, for whoever shows it: the status page and the API.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/scheduler/target_status.h"
#include "agent/web/host_glance.h"

namespace ua {

struct StatusData {
  std::vector<StatusBoard::Entry> targets;
  HostGlance host;
  std::string host_name;  ///< empty where the kernel does not tell
  WallTime now;
  Time history_until;              ///< the same moment on the loop's clock
  std::string configuration;       ///< the file, or what is done without one
  std::vector<std::string> notes;  ///< of discovery
  /// What a follow-up check found about a target; empty for nothing.
  std::function<std::string_view(const TargetStatus&)> second_look;

  std::string_view second_look_at(const TargetStatus& status) const {
    return second_look ? second_look(status) : "";
  }
};

}  // namespace ua
