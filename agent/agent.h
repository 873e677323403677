// SPDX-License-Identifier: Apache-2.0
// The daemon: puts the parts together, reloads them, ends them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"

namespace ua {

/// What the command line overrides; it wins over the file, also after a reload.
struct RunArguments {
  std::optional<std::filesystem::path> config_file;  ///< absent: the default path where it exists
  std::vector<std::string> listen_addresses;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
};

/// The configuration these arguments lead to.
tl::expected<Config, Diagnostics> configuration_of(const RunArguments& arguments);

/// Runs until SIGTERM or SIGINT. Returns the exit status: 0, 1 (cannot run), 78 (configuration).
int run_agent(const RunArguments& arguments);

}  // namespace ua
