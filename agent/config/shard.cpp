// SPDX-License-Identifier: Apache-2.0
#include "agent/config/shard.h"

#include <algorithm>
#include <string>
#include <utility>

#include "collectors/core/text.h"

namespace ua {

bool in_shard(const ShardConfig& shard, std::string_view upstream, std::string_view target_label) {
  if (shard.count <= 1) return true;
  // Neither holds a newline, so that no two pairs give the same text.
  const std::uint64_t hash = stable_hash(std::string(upstream) + '\n' + std::string(target_label));
  return hash % shard.count == shard.index;
}

std::vector<UpstreamConfig> take_shard(const ShardConfig& shard,
                                       const std::vector<UpstreamConfig>& upstreams) {
  std::vector<UpstreamConfig> result = upstreams;
  for (UpstreamConfig& upstream : result) {
    std::erase_if(upstream.targets, [&](const TargetConfig& target) {
      return !in_shard(shard, upstream.name, target.target.label);
    });
  }
  std::erase_if(result, [](const UpstreamConfig& upstream) { return upstream.targets.empty(); });
  return result;
}

}  // namespace ua
