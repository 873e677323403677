// SPDX-License-Identifier: Apache-2.0
// From what was discovered on the host to upstreams that can be probed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "collectors/discovery/nginx_upstreams.h"

namespace ua {

struct Discovered {
  std::vector<UpstreamConfig> upstreams;
  std::vector<std::string> notes;  ///< what was found but cannot be probed, with file, line and why
};

/// Those that can be probed, with the Host and the TLS settings that nginx uses; any status below
/// 500 is success. Pure.
Discovered probed_upstreams(const NginxUpstreams& found);

/// The upstreams that nginx's configuration below `root` names. Without that directory: nothing.
Discovered discover_nginx(const std::filesystem::path& root);

}  // namespace ua
