// SPDX-License-Identifier: Apache-2.0
#include "agent/load.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/config/document.h"
#include "agent/config/shard.h"
#include "agent/memory_bound.h"

namespace ua {

bool is_gone(const std::optional<std::filesystem::path>& before,
             const std::optional<std::filesystem::path>& now) {
  if (!before || now == before) return false;
  return !now || now->filename() == kConfD;  // conf.d alone, where there was a main file
}

std::vector<std::string> add_discovered(std::vector<UpstreamConfig>& upstreams, Discovered found) {
  std::map<std::pair<std::string, std::string>, std::string> configured;  // target -> where
  for (const UpstreamConfig& upstream : upstreams) {
    for (const TargetConfig& target : upstream.targets) {
      configured.emplace(std::pair(upstream.name, target.target.label), upstream.origin);
    }
  }
  for (UpstreamConfig& upstream : found.upstreams) {
    std::erase_if(upstream.targets, [&](const TargetConfig& target) {
      const auto same = configured.find({upstream.name, target.target.label});
      if (same == configured.end()) return false;
      found.notes.push_back(upstream.origin + ": " + upstream.name + ' ' + target.target.label +
                            " is configured at " + same->second);
      return true;
    });
    if (!upstream.targets.empty()) upstreams.push_back(std::move(upstream));
  }
  return std::move(found.notes);
}

namespace {

void override_document(Config& config, const RunArguments& arguments) {
  std::vector<std::string> addresses;
  for (const ListenAddress& address : arguments.listen_addresses) addresses.push_back(address.text);
  if (!addresses.empty()) set_in_document(config.document, "web", "listen_address", addresses);
  if (arguments.log_level) {
    set_in_document(config.document, "logging", "level", {*arguments.log_level});
  }
  if (arguments.log_format) {
    set_in_document(config.document, "logging", "format", {*arguments.log_format});
  }
}

}  // namespace

tl::expected<Config, Diagnostics> configuration_of(const RunArguments& arguments) {
  tl::expected<Config, Diagnostics> config;
  if (arguments.config_file) {
    config = load_config(*arguments.config_file);
  } else {
    config = load_default_config(arguments.default_file);
  }
  if (!config) return config;
  if (!arguments.listen_addresses.empty())
    config->web.listen_addresses = arguments.listen_addresses;
  override_document(*config, arguments);
  if (arguments.log_level) config->logging.level = *arguments.log_level;
  if (arguments.log_format) config->logging.format = *arguments.log_format;
  return config;
}

Loaded with_discovered(Config config) {
  Loaded result;
  if (config.discovery.nginx) {
    result.notes = add_discovered(config.upstreams, discover_nginx(config));
  }
  result.memory_bound = memory_bound_bytes(config);
  result.upstreams = take_shard(config.shard, config.upstreams);
  result.config = std::move(config);
  result.config.upstreams.clear();
  return result;
}

std::vector<std::string> keep_until_restart(const Config& in_use, Config& next) {
  std::vector<std::string> waiting;
  const auto keep = [&](const char* key, const auto& is, auto& wanted) {
    if (wanted == is) return;
    waiting.emplace_back(key);
    wanted = is;
    keep_in_document(next.document, in_use.document, key);
  };
  keep("web.listen_address", in_use.web.listen_addresses, next.web.listen_addresses);
  keep("logging.format", in_use.logging.format, next.logging.format);
  keep("limits.max_series", in_use.limits.max_series, next.limits.max_series);
  keep("limits.max_connections", in_use.limits.max_connections, next.limits.max_connections);
  keep("limits.max_connections_per_address", in_use.limits.max_connections_per_address,
       next.limits.max_connections_per_address);
  keep("metrics.histogram_phases", in_use.metrics.histogram_phases, next.metrics.histogram_phases);
  keep("metrics.buckets", in_use.metrics.buckets, next.metrics.buckets);
  keep("metrics.birth_hold", in_use.metrics.birth_hold, next.metrics.birth_hold);
  keep("host.interval", in_use.host.interval, next.host.interval);
  keep("host.samplers", in_use.host.samplers, next.host.samplers);
  keep("host.watch_ports", in_use.host.watch_ports, next.host.watch_ports);
  keep("discovery.listeners", in_use.discovery.listeners, next.discovery.listeners);
  return waiting;
}

LoadResult load(const RunArguments& arguments, const Config* in_use) {
  auto config = configuration_of(arguments);
  if (!config) return tl::unexpected(std::move(config.error()));
  if (in_use != nullptr && is_gone(in_use->file, config->file)) {
    return tl::unexpected(Diagnostics{
        {in_use->file->string(), 0, 0, "is gone; restart the agent to go on without it"}});
  }
  std::vector<std::string> waiting;
  if (in_use != nullptr) waiting = keep_until_restart(*in_use, *config);
  Loaded result = with_discovered(std::move(*config));
  result.waiting = std::move(waiting);
  return result;
}

}  // namespace ua
