// SPDX-License-Identifier: Apache-2.0
#include "agent/load.h"

#include <utility>

#include "agent/config/discovered.h"
#include "agent/config/memory_bound.h"
#include "agent/config/shard.h"

namespace ua {

tl::expected<Config, Diagnostics> configuration_of(const RunArguments& arguments) {
  tl::expected<Config, Diagnostics> config;
  std::error_code ignored;
  if (arguments.config_file) {
    config = load_config(*arguments.config_file);
  } else if (std::filesystem::exists(kDefaultConfigFile, ignored)) {
    config = load_config(kDefaultConfigFile);
  } else {
    config = default_config();
  }
  if (!config) return config;
  if (!arguments.listen_addresses.empty())
    config->web.listen_addresses = arguments.listen_addresses;
  if (arguments.log_level) config->logging.level = *arguments.log_level;
  if (arguments.log_format) config->logging.format = *arguments.log_format;
  return config;
}

LoadResult load(const RunArguments& arguments) {
  auto config = configuration_of(arguments);
  if (!config) return tl::unexpected(std::move(config.error()));
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
