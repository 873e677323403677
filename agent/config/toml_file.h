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

/// `file` and, beside it, `conf.d/*.toml` in name order, hidden files apart. What cannot be read is
/// a diagnostic.
std::vector<ConfigText> read_config_files(const std::filesystem::path& file,
                                          Diagnostics& diagnostics);

/// nullopt: one diagnostic more.
std::optional<toml::table> parse_toml(const ConfigText& text, Diagnostics& diagnostics);

}  // namespace ua
