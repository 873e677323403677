// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/commands.h"

#include <algorithm>
#include <array>

namespace ua {
namespace {

constexpr std::array<Command, 7> kCommands{{
    {"run", "the daemon; also what runs without a command", run_command},
    {"check", "validate the configuration and print every mistake", check_command},
    {"probe", "probe targets once, now: what is wrong, and what to check first", probe_command},
    {"status", "how the upstreams of the running agent are", status_command},
    {"explain", "what an error class means", explain_command},
    {"hash-password", "the hash of a password for the endpoints", hash_password_command},
    {"completion", "what completes these words in a shell", completion_command},
}};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto* const found = std::find_if(kCommands.begin(), kCommands.end(),
                                         [&](const Command& row) { return row.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

}  // namespace ua
