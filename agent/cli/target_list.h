// SPDX-License-Identifier: Apache-2.0
// The targets of a configuration and the addresses that their names have now. Asks name servers,
// but connects to nothing. Main thread of a command.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/config/config.h"

namespace ua {

/// What a name comes to, for a person to read: "10.0.0.5, 10.0.0.6", or why it does not.
using ResolvedNames = std::map<std::string, std::string>;

/// All names of the targets at once, each as its upstream's ip_protocol has it.
/// @param patience for all together
ResolvedNames resolve_names(const std::vector<UpstreamConfig>& upstreams, Duration patience);

/// A line a target: upstream, target, the proxy that it is reached through, and what the name that
/// is connected to comes to. Pure.
std::string target_list(const std::vector<UpstreamConfig>& upstreams, const ResolvedNames& names);

}  // namespace ua
