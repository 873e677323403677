// SPDX-License-Identifier: Apache-2.0
// The status page: one HTML document out of values, without scripts or outside assets. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/scheduler/target_status.h"

namespace ua {

/// The host in a few numbers; absent where not sampled.
struct HostGlance {
  std::optional<unsigned> cpus;
  std::optional<double> load1;
  std::optional<double> memory_used_ratio;  ///< 0 to 1
  std::optional<std::uint64_t> established;
  std::optional<std::uint64_t> listening;
};

struct StatusPageData {
  std::vector<StatusBoard::Entry> targets;
  HostGlance host;
  WallTime now;
  std::string configuration;       ///< the file, or what is done without one
  std::vector<std::string> notes;  ///< of discovery
  /// What a follow-up check found about a target; empty for nothing.
  std::function<std::string_view(const TargetStatus&)> second_look;
};

std::string render_status_page(const StatusPageData& data);

/// HTML text and attribute content out of any bytes.
std::string html_escape(std::string_view bytes);

}  // namespace ua
