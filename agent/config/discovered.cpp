// SPDX-License-Identifier: Apache-2.0
#include "agent/config/discovered.h"

#include <set>

#include "collectors/discovery/nginx_upstreams.h"
#include "collectors/probes/http_probe.h"
#include "collectors/probes/tcp_probe.h"

namespace ua {
namespace {

ProbeMaker maker_for(const DiscoveredUpstream& found, const std::string& type) {
  if (type == "tcp") return make_tcp_maker();
  HttpOptions http;
  http.host = found.host;
  http.expect_status.ranges = {{100, 499}};
  TlsOptions tls;
  tls.server_name = found.server_name;
  tls.insecure_skip_verify = !found.verify;
  return make_http_maker(std::move(http), std::move(tls));
}

}  // namespace

Discovered discover_nginx(const std::filesystem::path& root) {
  Discovered result;
  NginxUpstreams found = nginx_upstreams(read_nginx(root));
  result.notes = std::move(found.notes);
  std::set<std::string> names;
  for (const DiscoveredUpstream& one : found.upstreams) {
    UpstreamConfig upstream;
    upstream.name = one.name;
    // The same servers under another Host are another upstream.
    if (!names.insert(upstream.name).second) upstream.name += " for " + one.host;
    if (upstream.name != one.name && !names.insert(upstream.name).second) continue;
    upstream.origin = one.origin;
    for (const std::string& url : one.targets) {
      Result<Target> target = parse_target(url);
      const ProbeType* type = target ? find_probe_type(target->scheme) : nullptr;
      if (type == nullptr) {
        result.notes.push_back(one.origin + ": " + url + ": " +
                               (target ? "no probe for it" : target.error().message));
        continue;
      }
      upstream.targets.push_back(TargetConfig{std::move(*target), std::string(type->name),
                                              maker_for(one, std::string(type->name))});
    }
    if (!upstream.targets.empty()) result.upstreams.push_back(std::move(upstream));
  }
  return result;
}

}  // namespace ua
