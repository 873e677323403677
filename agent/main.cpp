// SPDX-License-Identifier: Apache-2.0
#include <ares.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <spdlog/version.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <vector>

#include "agent/cli/commands.h"
#include "collectors/core/text.h"

namespace {

using ua::Arguments;

void print_help() {
  std::cout << "Tells which upstream fails, how, since when, and what to check first.\n\n"
               "Usage: upstream-agent [run] [FLAGS]\n"
               "       upstream-agent COMMAND [FLAGS] [ARGUMENTS]\n\nCommands:\n";
  for (const ua::Command& command : ua::commands()) {
    std::cout << "  " << std::left << std::setw(28) << command.name << command.help << '\n';
  }
  std::cout << "  --help                      this text; also after a command\n"
               "  --version                   versions of the agent and its libraries\n"
            << ua::run_flags_help() << R"(
Examples:
  upstream-agent                                  watch this host: http://localhost:10917/
  upstream-agent probe http://127.0.0.1:3000/     is it up, and if not, why
  upstream-agent status --watch                   what the running agent sees
  upstream-agent explain connect_refused          what that means
  upstream-agent check --config.file=agent.toml   every mistake in a configuration

Exit status: 0 well; 1 a target is down, or the agent could not go on; 2 wrong usage;
69 no running agent answers; 78 a mistake in the configuration.
)";
}

void print_version() {
  std::cout << "upstream-agent " UA_VERSION "\n"
            << curl_version() << "\nc-ares/" << ares_version(nullptr) << " libmicrohttpd/"
            << MHD_get_version() << " spdlog/" << SPDLOG_VER_MAJOR << '.' << SPDLOG_VER_MINOR << '.'
            << SPDLOG_VER_PATCH << '\n';
}

int unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const ua::Command& command : ua::commands()) names.push_back(command.name);
  std::cerr << "upstream-agent: there is no command '" << ua::escape_line(word, 100) << '\'';
  if (const auto close = ua::nearest(word, names))
    std::cerr << "; did you mean '" << *close << "'?";
  std::cerr << "\nTry 'upstream-agent --help'.\n";
  return ua::kExitUsage;
}

int dispatch(Arguments words) {
  const std::string first = words.empty() ? "" : words[0];
  if (first == "--help" || first == "-h" || first == "help") {
    print_help();
    return 0;
  }
  if (first == "--version") {
    print_version();
    return 0;
  }
  if (first.empty() || first[0] == '-') return ua::run_command(words, std::cout, std::cerr);
  const ua::Command* const command = ua::find_command(first);
  if (command == nullptr) return unknown_command(first);
  words.erase(words.begin());
  return command->run(words, std::cout, std::cerr);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = dispatch(Arguments(argv + std::min(argc, 1), argv + argc));
    if (std::cout.flush()) return status;
    std::cerr << "upstream-agent: the output could not be written\n";
    return ua::kExitFailure;
  } catch (const std::exception& error) {
    std::cerr << "upstream-agent: " << ua::escape_line(error.what()) << '\n';
    return ua::kExitFailure;
  }
}
