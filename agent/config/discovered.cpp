// SPDX-License-Identifier: Apache-2.0
#include "agent/config/discovered.h"

#include "collectors/core/text.h"
#include "collectors/probes/http/http_probe.h"
#include "collectors/probes/tcp/tcp_probe.h"
#include "collectors/probes/tool_flags.h"

namespace ua {
namespace {

ProbeSetup setup_for(const DiscoveredTarget& found, const std::string& host, std::string_view type,
                     const ProbeLimits& limits) {
  if (type == "tcp") return {.make = make_tcp_maker()};
  HttpOptions http;
  http.host = host;
  http.max_body = limits.max_body;
  http.expect_status.ranges = {{100, 499}};
  TlsOptions tls;
  tls.server_name = found.server_name;
  tls.send_server_name = !found.server_name.empty();
  tls.ca_file = found.ca_file;
  tls.insecure_skip_verify = !found.verify;
  auto flags = std::make_shared<const ToolFlags>(tool_flags(http, tls));
  return {.make = make_http_maker(std::move(http), std::move(tls)), .flags = std::move(flags)};
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
    ProbeSetup setup = setup_for(one, found.host, name, limits);
    targets.push_back(TargetConfig{.target = std::move(*target),
                                   .type = std::move(name),
                                   .make = std::move(setup.make),
                                   .flags = std::move(setup.flags)});
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
