// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/probe_jobs.h"

#include <algorithm>

#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/net/endpoint.h"

namespace ua {
namespace {

Result<std::vector<ProbeJob>> job_for_url(const std::string& url) {
  Result<Target> target = parse_target(url);
  if (!target) return tl::unexpected(target.error());
  const ProbeType* type = find_probe_type(target->scheme);
  const toml::table nothing_set;
  Diagnostics diagnostics;
  TableReader defaults(nothing_set, diagnostics, "", "upstream");
  ProbeJob job;
  job.target = TargetConfig{std::move(*target), std::string(type->name),
                            type->read(defaults, ProbeLimits{}).make};
  return std::vector{std::move(job)};
}

/// "Write http://127.0.0.1:80 or tcp://127.0.0.1:80" for what is likely to be meant.
std::string as_url(std::string word) {
  if (word.starts_with('/')) return "http+unix://" + word + ":/ or tcp+unix://" + word;
  if (const auto literal = ip_endpoint(word, 0); literal && literal->family() == AF_INET6) {
    word = '[' + word + ']';
  }
  const std::string authority = word.substr(0, word.find('/'));
  const bool has_port = authority.find(':') != std::string::npos && !authority.ends_with(']');
  return "http://" + word + " or tcp://" + authority + (has_port ? "" : ":PORT");
}

std::string unknown_name(const std::string& word, const std::vector<UpstreamConfig>& upstreams) {
  const std::string shown = escape_line(word, 100);
  std::string message = '\'' + shown + "' is neither a URL nor the name of a known upstream";
  std::vector<std::string_view> names;
  names.reserve(upstreams.size());
  for (const UpstreamConfig& upstream : upstreams) names.emplace_back(upstream.name);
  if (const auto close = nearest(word, names)) {
    return message + "; did you mean '" + escape_line(*close, 100) + "'?";
  }
  return message + ". Write " + as_url(shown) + "; the schemes are " + known_schemes();
}

}  // namespace

bool is_upstream_name(std::string_view word) { return word.find("://") == std::string_view::npos; }

Result<std::vector<ProbeJob>> jobs_for(const std::string& word,
                                       const std::vector<UpstreamConfig>& upstreams) {
  const auto named = std::find_if(upstreams.begin(), upstreams.end(),
                                  [&](const auto& upstream) { return upstream.name == word; });
  if (named == upstreams.end()) {
    return is_upstream_name(word) ? fail(unknown_name(word, upstreams)) : job_for_url(word);
  }
  std::vector<ProbeJob> jobs;
  for (const TargetConfig& target : named->targets) {
    jobs.push_back(ProbeJob{target, named->run, named->service, named->name});
    jobs.back().run.via = target.via;
  }
  return jobs;
}

}  // namespace ua
