// SPDX-License-Identifier: Apache-2.0
// The status page: one HTML document out of values, whole without its script and without anything
// from elsewhere. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/scheduler/target_status.h"
#include "agent/web/host_glance.h"

namespace ua {

struct StatusPageData {
  std::vector<StatusBoard::Entry> targets;
  HostGlance host;
  WallTime now;
  Time history_until;              ///< the same moment on the loop's clock
  std::string configuration;       ///< the file, or what is done without one
  std::vector<std::string> notes;  ///< of discovery
  /// What a follow-up check found about a target; empty for nothing.
  std::function<std::string_view(const TargetStatus&)> second_look;
  std::string nonce;  ///< that the Content-Security-Policy allows style and script by
};

std::string render_status_page(const StatusPageData& data);

/// The header's value. @param nonce letters and digits, another one for each reply
std::string status_page_policy(std::string_view nonce);

}  // namespace ua
