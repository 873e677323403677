// SPDX-License-Identifier: Apache-2.0
// From what was discovered on the host to upstreams that can be probed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/config/config.h"

namespace ua {

struct Discovered {
  std::vector<UpstreamConfig> upstreams;
  std::vector<std::string> notes;  ///< what was found but cannot be probed, with file, line and why
};

/// The upstreams that nginx's configuration below `root` names, probed with the Host and the TLS
/// settings that nginx uses; any status below 500 is success. Without that directory: nothing.
Discovered discover_nginx(const std::filesystem::path& root);

}  // namespace ua
