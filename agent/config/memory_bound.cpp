// SPDX-License-Identifier: Apache-2.0
#include "agent/config/memory_bound.h"

#include <algorithm>

namespace ua {

std::uint64_t memory_bound_bytes(const Config& config) {
  std::uint64_t targets = 0;
  for (const UpstreamConfig& upstream : config.upstreams) targets += upstream.targets.size();
  const std::uint64_t in_flight = std::min<std::uint64_t>(targets, config.limits.max_in_flight);
  const std::uint64_t series =
      std::min<std::uint64_t>(config.limits.max_series, targets * 60 + 2000);
  return (32ULL << 20U) + targets * 6144 + in_flight * 24576 + series * (64 + 2 * 112) +
         config.limits.max_connections * 65536ULL;
}

}  // namespace ua
