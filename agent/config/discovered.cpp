// SPDX-License-Identifier: Apache-2.0
#include "agent/config/discovered.h"

#include "collectors/core/text.h"
#include "collectors/probes/http/http_probe.h"
#include "collectors/probes/tcp/tcp_probe.h"

namespace ua {
namespace {

ProbeMaker maker_for(const DiscoveredTarget& found, const std::string& host, std::string_view type,
                     const ProbeLimits& limits) {
  if (type == "tcp") return make_tcp_maker();
  HttpOptions http;
  http.host = host;
  http.max_body = limits.max_body;
  http.expect_status.ranges = {{100, 499}};
  TlsOptions tls;
  tls.server_name = found.server_name;
  tls.send_server_name = !found.server_name.empty();
  tls.ca_file = found.ca_file;
  tls.insecure_skip_verify = !found.verify;
  return make_http_maker(std::move(http), std::move(tls));
}

/// The targets there is a probe for; the others leave a note.
std::vector<TargetConfig> targets_of(const DiscoveredUpstream& found, const ProbeLimits& limits,
                                     std::vector<std::string>& notes) {
  std::vector<TargetConfig> targets;
  for (const DiscoveredTarget& one : found.targets) {
    Result<Target> target = parse_target(one.url);
    const ProbeType* type = target ? find_probe_type(target->scheme) : nullptr;
    if (type == nullptr) {
      add_nginx_note(notes, one.origin,
                     escape_line(without_secrets(one.url), 200) + ": " +
                         (target ? "no probe for it" : target.error().message));
      continue;
    }
    std::string name(type->name);
    ProbeMaker maker = maker_for(one, found.host, name, limits);
    targets.push_back(TargetConfig{std::move(*target), std::move(name), std::move(maker)});
  }
  return targets;
}

}  // namespace

Discovered probed_upstreams(const NginxUpstreams& found, const Config& settings) {
  Discovered result;
  for (const DiscoveredUpstream& one : found.upstreams) {
    UpstreamConfig upstream;
    upstream.name = one.name;
    upstream.origin = one.origin;
    upstream.interval = settings.defaults.interval;
    upstream.rise = settings.defaults.rise;
    upstream.fall = settings.defaults.fall;
    upstream.run = settings.defaults.run;
    upstream.targets = targets_of(one, settings.limits.probe, result.notes);
    if (!upstream.targets.empty()) result.upstreams.push_back(std::move(upstream));
  }
  result.notes.insert(result.notes.begin(), found.notes.begin(), found.notes.end());
  return result;
}

Discovered discover_nginx(const Config& settings) {
  return probed_upstreams(nginx_upstreams(read_nginx(settings.discovery.nginx_root)), settings);
}

}  // namespace ua
