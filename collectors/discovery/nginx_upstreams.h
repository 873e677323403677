// SPDX-License-Identifier: Apache-2.0
// Which upstreams an nginx configuration names, and how nginx speaks to each. Pure.
#pragma once

#include <string>
#include <vector>

#include "collectors/discovery/nginx_config.h"

namespace ua {

struct DiscoveredUpstream {
  std::string name;                  ///< of the upstream block, else host:port
  std::vector<std::string> targets;  ///< URLs in our syntax
  std::string host;                  ///< Host header that nginx sends; empty: the target's own
  std::string server_name;           ///< SNI; empty: the target's host
  bool verify = false;               ///< nginx checks no certificate unless proxy_ssl_verify is on
  std::string origin;                ///< "file:line" of the proxy_pass
};

struct NginxUpstreams {
  std::vector<DiscoveredUpstream> upstreams;  ///< each once
  std::vector<std::string> notes;             ///< what could not be told, with file, line and why
};

NginxUpstreams nginx_upstreams(const NginxConfig& config);

}  // namespace ua
