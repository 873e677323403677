// SPDX-License-Identifier: Apache-2.0
// How much memory a configuration should need at most. Pure.
#pragma once

#include <cstdint>

#include "agent/config/config.h"

namespace ua {

/// 32 MiB + 6 KiB a target + 24 KiB a probe in flight and the body it keeps + 64 B a series + 64
/// KiB a connection + what replies may hold (ConnectionLimits) + the page that is being made.
/// Probes in flight are at most one a target. Of this agent's shard.
std::uint64_t memory_bound_bytes(const Config& config);

}  // namespace ua
