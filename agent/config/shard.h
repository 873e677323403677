// SPDX-License-Identifier: Apache-2.0
// Splits one configuration between several agents. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "agent/config/config.h"

namespace ua {

/// Whether this shard probes the target. The same on every machine and in every version; a change
/// of one target moves no other.
bool in_shard(const ShardConfig& shard, std::string_view upstream, std::string_view target_label);

/// The shard's part of the upstreams; those that keep no target are left out.
std::vector<UpstreamConfig> take_shard(const ShardConfig& shard,
                                       const std::vector<UpstreamConfig>& upstreams);

}  // namespace ua
