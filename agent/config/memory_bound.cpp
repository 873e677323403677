// SPDX-License-Identifier: Apache-2.0
#include "agent/config/memory_bound.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "agent/config/shard.h"

namespace ua {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kSeriesOfTarget = 60;
constexpr std::uint64_t kSeriesOfAgentAndHost = 2000;
constexpr std::uint64_t kAddressesOfTarget = 16;  // with addresses = "all"
constexpr std::uint64_t kPageBytesOfSeries = 112;

}  // namespace

std::uint64_t memory_bound_bytes(const Config& config) {
  std::uint64_t targets = 0;
  std::uint64_t series = kSeriesOfAgentAndHost;
  std::vector<std::uint64_t> buffers;  // one a target: no target has two probes in flight
  for (const UpstreamConfig& upstream : take_shard(config.shard, config.upstreams)) {
    const bool all = upstream.run.addresses == AddressMode::all;
    targets += upstream.targets.size();
    series += upstream.targets.size() * kSeriesOfTarget * (all ? kAddressesOfTarget : 1);
    for (const TargetConfig& target : upstream.targets) buffers.push_back(target.buffer_bytes);
  }
  series = std::min(series, config.limits.max_series);
  const std::uint64_t in_flight = std::min<std::uint64_t>(targets, config.limits.max_in_flight);
  const auto last = buffers.begin() + static_cast<std::ptrdiff_t>(in_flight);
  std::partial_sort(buffers.begin(), last, buffers.end(), std::greater<>());
  return 32 * kKiB * kKiB + targets * 6 * kKiB + in_flight * 24 * kKiB +
         std::accumulate(buffers.begin(), last, std::uint64_t{0}) +
         series * (64 + 2 * kPageBytesOfSeries) + 64 * kKiB * config.limits.max_connections;
}

}  // namespace ua
