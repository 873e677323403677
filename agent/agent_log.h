// SPDX-License-Identifier: Apache-2.0
// The lines that the agent logs about what its parts tell it. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/host_sampling.h"
#include "agent/scheduler/target_status.h"
#include "collectors/core/diagnostic.h"

namespace ua {

std::string joined(const std::vector<std::string>& words, std::string_view between);
/// A line each.
std::string joined(const Diagnostics& diagnostics);

/// A line each: values are cut.
void log_mistakes(const Diagnostics& mistakes);
void log_sampler(const SamplerRun& run);
void log_verdict(const TargetStatus& status, Verdict before);

}  // namespace ua
