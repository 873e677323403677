// SPDX-License-Identifier: Apache-2.0
// The list of the subcommands.
#pragma once

#include <iosfwd>
#include <span>
#include <string_view>

#include "agent/cli/command.h"

namespace ua {

struct Command {
  std::string_view name;
  std::string_view help;  ///< a line
  int (*run)(const Arguments& arguments, std::ostream& out, std::ostream& err);
};

std::span<const Command> commands();

/// @return null for what is none
const Command* find_command(std::string_view name);

}  // namespace ua
