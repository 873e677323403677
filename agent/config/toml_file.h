// SPDX-License-Identifier: Apache-2.0
// From a configuration file's bytes to a parsed document. What a TOML parser would crash on or
// explain badly is caught before. Main thread.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "agent/config/config.h"
#include "collectors/core/diagnostic.h"

namespace ua {

/// The `*.toml` of a directory in name order, hidden ones apart; none where there is no such
/// directory. What cannot be listed is a diagnostic.
std::vector<std::filesystem::path> toml_files_of(const std::filesystem::path& directory,
                                                 Diagnostics& diagnostics);

/// What cannot be read is a diagnostic; so is a file without a byte, as a writer that was cut off
/// leaves it behind.
std::vector<ConfigText> read_config_files(const std::vector<std::filesystem::path>& files,
                                          Diagnostics& diagnostics);

/// nullopt: one diagnostic more.
std::optional<toml::table> parse_toml(const ConfigText& text, Diagnostics& diagnostics);

}  // namespace ua
