// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/completion_script.h"

#include <sstream>

#include "agent/cli/commands.h"
#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("flags are read from a help text") {
  const auto flags = flags_in_help(
      "What it does.\nUsage: x [OPTIONS] TARGET\n\nPositionals:\n"
      "  TARGET --not-a-flag         What\n\nOptions:\n"
      "  -h,--help                   Print this\n"
      "  --config.file FILE          Configuration, see --other\n"
      "  --log.level WORD:{trace,debug}\n"
      "                              --what is logged\n"
      "  --all Excludes: CLASS       All\n"
      "  --cost UINT:UINT in [4 - 14]=10\n"
      "  -v,--verbose                More\n\nText with --words.\n");
  REQUIRE(flags.size() == 5);
  CHECK(flags[0].name == "--config.file");
  CHECK(flags[0].takes_value);
  CHECK(flags[0].takes_file);
  CHECK(flags[1].name == "--log.level");
  CHECK(flags[1].takes_value);
  CHECK_FALSE(flags[1].takes_file);
  CHECK(flags[1].values == std::vector<std::string>{"trace", "debug"});
  CHECK(flags[2].name == "--all");
  CHECK_FALSE(flags[2].takes_value);
  CHECK(flags[3].name == "--cost");
  CHECK(flags[3].takes_value);
  CHECK(flags[3].values.empty());
  CHECK(flags[4].name == "--verbose");
  CHECK_FALSE(flags[4].takes_value);
}

TEST_CASE("every command has a help that lists its flags") {
  for (const Command& command : commands()) {
    CAPTURE(command.name);
    std::ostringstream out;
    std::ostringstream err;
    CHECK(command.run({"--help"}, out, err) == 0);
    CHECK(err.str().empty());
    CHECK(out.str().find("Usage: upstream-agent " + std::string(command.name)) !=
          std::string::npos);
    const bool without = command.name == "completion";
    CHECK(flags_in_help(out.str()).empty() == without);
  }
}

TEST_CASE("a command is found by its whole name alone") {
  CHECK(find_command("probe")->name == "probe");
  CHECK(find_command("prob") == nullptr);
  CHECK(find_command("") == nullptr);
}

TEST_CASE("a quote in a help text does not end the shell's word") {
  const std::vector<CommandWords> words{{"a", "the agent's own", {}, {}}};
  CHECK(fish_completion(words).find("-d 'the agent'\\''s own'") != std::string::npos);
  CHECK(zsh_completion(words).find("'a:the agent'\\''s own'") != std::string::npos);
}

}  // namespace
}  // namespace ua
