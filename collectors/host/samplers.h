// SPDX-License-Identifier: Apache-2.0
// The list of all host samplers, by name. They live on the sampling thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "collectors/host/connections.h"
#include "collectors/host/proc_file.h"

namespace ua {

/// The samplers of these names, in this order; unknown names are passed over (the configuration
/// refuses them).
/// @param ports of the connections sampler
/// @param proc where tests put a tree of their own
std::vector<std::unique_ptr<HostSampler>> make_host_samplers(
    const std::vector<std::string>& names, const PortsApart& ports = {},
    const std::filesystem::path& proc = "/proc");

}  // namespace ua
