// SPDX-License-Identifier: Apache-2.0
#include "agent/web/standing.h"

#include <array>

namespace ua {

Standing standing(const TargetStatus& status) {
  if (!status.last) return Standing::waiting;
  const bool well = status.last->success();
  if (!well && status.local_trouble != LocalTrouble::none) return Standing::own_trouble;
  if (!well || status.verdict == Verdict::down) return Standing::failing;
  return status.last->error == ErrorClass::slow_response ? Standing::slow : Standing::up;
}

std::string_view name(Standing standing) {
  static constexpr std::array<std::string_view, kStandingCount> kNames{"failing", "own_trouble",
                                                                       "slow", "waiting", "up"};
  return kNames[static_cast<std::size_t>(standing)];
}

}  // namespace ua
