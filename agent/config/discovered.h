// SPDX-License-Identifier: Apache-2.0
// From what was discovered on the host to upstreams that can be probed.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"
#include "collectors/discovery/nginx_upstreams.h"

namespace ua {

struct Discovered {
  std::vector<UpstreamConfig> upstreams;
  std::vector<std::string> notes;  ///< what was found but cannot be probed, with file, line and why
};

/// Those that can be probed, with the Host and the TLS settings that nginx uses and with
/// `settings`' defaults and limits; any status below 500 is success. Pure.
Discovered probed_upstreams(const NginxUpstreams& found, const Config& settings);

/// The upstreams that nginx's configuration names. Where there is none: nothing.
Discovered discover_nginx(const Config& settings);

}  // namespace ua
