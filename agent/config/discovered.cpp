// SPDX-License-Identifier: Apache-2.0
#include "agent/config/discovered.h"

#include <set>

#include "collectors/core/text.h"
#include "collectors/probes/http_probe.h"
#include "collectors/probes/tcp_probe.h"

namespace ua {
namespace {

constexpr std::size_t kMaxName = 256;  // a host name and a port

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

/// The targets there is a probe for, each once though it may stand twice in an upstream block; the
/// others leave a note.
std::vector<TargetConfig> targets_of(const DiscoveredUpstream& found,
                                     std::vector<std::string>& notes) {
  std::vector<TargetConfig> targets;
  std::set<std::string> labels;
  for (const std::string& url : found.targets) {
    Result<Target> target = parse_target(url);
    const ProbeType* type = target ? find_probe_type(target->scheme) : nullptr;
    if (type == nullptr) {
      notes.push_back(found.origin + ": " + escape_line(without_secrets(url), 200) + ": " +
                      (target ? "no probe for it" : target.error().message));
      continue;
    }
    if (!labels.insert(target->label).second) continue;
    std::string name(type->name);
    ProbeMaker maker = maker_for(found, name);
    targets.push_back(TargetConfig{std::move(*target), std::move(name), std::move(maker)});
  }
  return targets;
}

}  // namespace

Discovered probed_upstreams(const NginxUpstreams& found) {
  Discovered result;
  result.notes = found.notes;
  std::set<std::string> names;
  for (const DiscoveredUpstream& one : found.upstreams) {
    UpstreamConfig upstream;
    const std::string name = escape_line(one.name, kMaxName);
    upstream.name = name;
    // The same servers under another Host are another upstream.
    if (!names.insert(upstream.name).second) upstream.name += " for " + one.host;
    if (upstream.name != name && !names.insert(upstream.name).second) continue;
    upstream.origin = one.origin;
    upstream.targets = targets_of(one, result.notes);
    if (!upstream.targets.empty()) result.upstreams.push_back(std::move(upstream));
  }
  return result;
}

Discovered discover_nginx(const std::filesystem::path& root) {
  return probed_upstreams(nginx_upstreams(read_nginx(root)));
}

}  // namespace ua
