// SPDX-License-Identifier: Apache-2.0
// How a target stands, in the one word that the status page, the API and `status` have for it.
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/scheduler/target_status.h"

namespace ua {

/// The worst first.
enum class Standing : std::uint8_t {
  failing,      ///< down, or its last probe failed
  own_trouble,  ///< its last probe failed of this host's own trouble
  slow,         ///< up, but later than slow_threshold
  waiting,      ///< no result yet
  up,
};
inline constexpr std::size_t kStandingCount = 5;

Standing standing(const TargetStatus& status);
std::string_view name(Standing standing);

}  // namespace ua
