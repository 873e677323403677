// SPDX-License-Identifier: Apache-2.0
// What the subcommands share in reading their arguments.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>

#include "agent/cli/command.h"
#include "agent/config/config.h"

namespace ua {

/// @return the exit status where there is nothing more to do: help was asked for and printed, or
/// the
///     arguments are wrong and that was said
std::optional<int> parse_flags(CLI::App& app, const Arguments& arguments, std::ostream& out,
                               std::ostream& err);

/// --config.file
void add_config_flag(CLI::App& app, std::optional<std::filesystem::path>& file);

/// The configuration to use: `file`, else the default file where it exists, else what is discovered
/// on this host; discovered upstreams are added. Mistakes go to `err`, a line each.
/// @param notes what discovery found but cannot probe
std::optional<Config> load_or_complain(const std::optional<std::filesystem::path>& file,
                                       std::vector<std::string>& notes, std::ostream& err);

}  // namespace ua
