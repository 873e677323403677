// SPDX-License-Identifier: Apache-2.0
#include "agent/load.h"

#include <utility>

#include "agent/config/discovered.h"
#include "agent/config/memory_bound.h"
#include "agent/config/shard.h"

namespace ua {

bool is_gone(const std::optional<std::filesystem::path>& before,
             const std::optional<std::filesystem::path>& now) {
  if (!before || now == before) return false;
  return !now || now->filename() == kConfD;  // conf.d alone, where there was a main file
}

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
  if (arguments.log_level) config->logging.level = *arguments.log_level;
  if (arguments.log_format) config->logging.format = *arguments.log_format;
  return config;
}

LoadResult load(const RunArguments& arguments, const Config* in_use) {
  auto config = configuration_of(arguments);
  if (!config) return tl::unexpected(std::move(config.error()));
  if (in_use != nullptr && is_gone(in_use->file, config->file)) {
    return tl::unexpected(Diagnostics{
        {in_use->file->string(), 0, 0, "is gone; restart the agent to go on without it"}});
  }
  Loaded result;
  result.config = std::move(*config);
  result.upstreams = take_shard(result.config.shard, result.config.upstreams);
  if (result.config.discovery.nginx) {
    Discovered found = discover_nginx(result.config.discovery.nginx_root);
    for (UpstreamConfig& upstream : found.upstreams) {
      result.upstreams.push_back(std::move(upstream));
    }
    result.notes = std::move(found.notes);
  }
  result.config.upstreams = result.upstreams;
  result.memory_bound = memory_bound_bytes(result.config);
  result.config.upstreams.clear();
  return result;
}

}  // namespace ua
