// SPDX-License-Identifier: Apache-2.0
// Completion scripts out of what the commands say in their help. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ua {

struct FlagWords {
  std::string name;  ///< "--config.file"
  bool takes_value = false;
  bool takes_file = false;
  std::vector<std::string> values;  ///< where only these are taken
};

/// The long flags that a help text lists, --help apart, which every command has.
std::vector<FlagWords> flags_in_help(std::string_view help);

struct CommandWords {
  std::string name;
  std::string help;  ///< a line
  std::vector<FlagWords> flags;
  std::vector<std::string> words;  ///< what else may follow
};

std::string bash_completion(const std::vector<CommandWords>& commands);
std::string zsh_completion(const std::vector<CommandWords>& commands);
std::string fish_completion(const std::vector<CommandWords>& commands);

}  // namespace ua
