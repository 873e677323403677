// SPDX-License-Identifier: Apache-2.0
// From the words after `probe` to what is probed: a URL with default options, or the targets of a
// known upstream with its own. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"

namespace ua {

struct ProbeJob {
  TargetConfig target;
  RunOptions run;
  std::string service;   ///< for the suggested command; may be empty
  std::string upstream;  ///< its name; empty where a URL was given
};

/// Whether a word can only be the name of an upstream.
bool is_upstream_name(std::string_view word);

/// @param upstreams those known; may be empty
/// @return one job for a URL, one for each target of a named upstream; else what to write instead
Result<std::vector<ProbeJob>> jobs_for(const std::string& word,
                                       const std::vector<UpstreamConfig>& upstreams);

}  // namespace ua
