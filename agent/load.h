// SPDX-License-Identifier: Apache-2.0
// From the command line to what the agent runs with: reads the configuration and discovers
// upstreams. Both may wait for a disk, so the daemon calls this on a worker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/discovered.h"

namespace ua {

/// What the command line overrides; it wins over the file, also after a reload.
struct RunArguments {
  std::optional<std::filesystem::path> config_file;  ///< absent: `default_file` where it exists
  std::filesystem::path default_file = kDefaultConfigFile;
  std::vector<ListenAddress> listen_addresses;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
};

/// What the agent runs with.
struct Loaded {
  Config config;                          ///< the settings in force; the upstreams stand below
  std::vector<UpstreamConfig> upstreams;  ///< to probe here, discovered ones among them
  std::vector<std::string> notes;         ///< of discovery: what was left out and why
  std::vector<std::string> waiting;       ///< keys whose change waits for a restart
  std::uint64_t memory_bound = 0;         ///< in bytes
};
using LoadResult = tl::expected<Loaded, Diagnostics>;

/// Whether the Config::file that was in use is no longer there.
bool is_gone(const std::optional<std::filesystem::path>& before,
             const std::optional<std::filesystem::path>& now);

/// Adds what was discovered to what is configured, which wins where both name a target of the same
/// upstream: it says how to probe it.
/// @return the notes, with what was left out
std::vector<std::string> add_discovered(std::vector<UpstreamConfig>& upstreams, Discovered found);

/// The configuration and what it says to discover, this shard's part of both.
Loaded with_discovered(Config config);

/// The configuration these arguments lead to, without what is discovered.
tl::expected<Config, Diagnostics> configuration_of(const RunArguments& arguments);

/// Puts back into `next` what only a restart changes.
/// @return the keys that were changed there
std::vector<std::string> keep_until_restart(const Config& in_use, Config& next);

/// @param in_use what the agent runs with already, null at the start. A file that is gone must not
/// replace it, nor can all of it change
LoadResult load(const RunArguments& arguments, const Config* in_use);

}  // namespace ua
