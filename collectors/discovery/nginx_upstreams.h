// SPDX-License-Identifier: Apache-2.0
// Which upstreams an nginx configuration names, and how nginx speaks to each. Pure.
#pragma once

#include <string>
#include <vector>

#include "collectors/discovery/nginx_config.h"

namespace ua {

/// One server under one URI. What is said of TLS holds for https.
struct DiscoveredTarget {
  std::string url;          ///< in our syntax
  std::string server;       ///< the same without what is asked there
  std::string server_name;  ///< SNI, and what the certificate must be for; empty: none is sent
  bool verify = false;      ///< nginx checks no certificate unless proxy_ssl_verify is on
  std::string ca_file;      ///< proxy_ssl_trusted_certificate; empty: not given
  std::string origin;       ///< "file:line" of the proxy_pass
};

/// What nginx calls by one name and asks by one Host header.
struct DiscoveredUpstream {
  std::string
      name;  ///< unique; of the upstream block, else host:port; " for HOST" where two share it
  std::vector<DiscoveredTarget> targets;  ///< each once
  std::string host;                       ///< Host header that nginx sends; empty without HTTP
  std::string origin;                     ///< "file:line" of the first proxy_pass
};

struct NginxUpstreams {
  std::vector<DiscoveredUpstream> upstreams;
  std::vector<std::string> notes;  ///< what could not be told, with file, line and why
};

NginxUpstreams nginx_upstreams(const NginxConfig& config);

}  // namespace ua
