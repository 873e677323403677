// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <sstream>

#include "agent/cli/commands.h"
#include "agent/cli/completion_script.h"
#include "agent/cli/flags.h"
#include "collectors/core/error_class.h"

namespace ua {
namespace {

std::vector<std::string> error_class_names() {
  std::vector<std::string> result;
  for (const ErrorClassInfo& row : catalogue()) result.emplace_back(row.name);
  return result;
}

/// What may follow a command besides its flags; only what is known without asking anyone.
std::vector<std::string> words_of(std::string_view command) {
  if (command == "explain") return error_class_names();
  if (command == "completion") return {"bash", "zsh", "fish"};
  return {};
}

/// Each command's help names its flags: no other list of them can be out of date.
std::vector<CommandWords> all_words() {
  std::vector<CommandWords> result;
  for (const Command& command : commands()) {
    std::ostringstream help;
    command.run({"--help"}, help, help);
    result.push_back({std::string(command.name), std::string(command.help),
                      flags_in_help(help.str()), words_of(command.name)});
  }
  return result;
}

}  // namespace

int completion_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Prints a script that completes the commands and flags in a shell.",
               "upstream-agent completion");
  app.footer(
      "Examples:\n"
      "  source <(upstream-agent completion bash)\n"
      "  upstream-agent completion bash > /etc/bash_completion.d/upstream-agent\n"
      "  upstream-agent completion fish > ~/.config/fish/completions/upstream-agent.fish");
  std::string shell;
  app.add_option("SHELL", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  if (const auto status = parse_flags(app, arguments, out, err)) return *status;
  const auto words = all_words();
  if (shell == "bash") out << bash_completion(words);
  if (shell == "zsh") out << zsh_completion(words);
  if (shell == "fish") out << fish_completion(words);
  return 0;
}

}  // namespace ua
