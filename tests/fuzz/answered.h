// SPDX-License-Identifier: Apache-2.0
// A probe whose peer has sent its answer before it was asked, and closes its side after it.
#pragma once

#include <cstddef>
#include <string_view>

#include "collectors/probes/probe.h"
#include "collectors/probes/probe_types.h"

namespace ua::fuzz {

constexpr std::size_t kMaxAnswer = 32'768;  // what a socket takes without anybody reading

/// Over a real socket, with one loop and engine for all inputs, as in the agent.
ProbeResult probe_answered(const ProbeMaker& maker, const Target& target, std::string_view answer);

}  // namespace ua::fuzz
