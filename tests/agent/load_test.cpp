// SPDX-License-Identifier: Apache-2.0
#include "agent/load.h"

#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

namespace fs = std::filesystem;

std::string upstream(const std::string& name) {
  return "[[upstream]]\nname = \"" + name + "\"\ntargets = \"http://a/\"\n";
}

TEST_CASE("what was in use and is no longer there is gone, what came to it is not") {
  const fs::path main = "/etc/upstream-agent/agent.toml";
  const fs::path conf_d = "/etc/upstream-agent/conf.d";
  CHECK_FALSE(is_gone(std::nullopt, std::nullopt));
  CHECK_FALSE(is_gone(std::nullopt, main));
  CHECK_FALSE(is_gone(std::nullopt, conf_d));
  CHECK_FALSE(is_gone(conf_d, conf_d));
  CHECK_FALSE(is_gone(conf_d, main));
  CHECK_FALSE(is_gone(main, main));
  CHECK(is_gone(conf_d, std::nullopt));
  CHECK(is_gone(main, std::nullopt));
  CHECK(is_gone(main, conf_d));
}

TEST_CASE("a file that is gone does not replace what is in use") {
  const Directory dir;
  RunArguments arguments;
  arguments.default_file = dir.write("agent.toml", upstream("a"));
  const LoadResult first = load(arguments, nullptr);
  REQUIRE(first);
  CHECK(first->upstreams.size() == 1);
  CHECK(first->config.upstreams.empty());
  CHECK(load(arguments, &first->config));

  const std::string gone =
      arguments.default_file.string() + ": is gone; restart the agent to go on without it";
  fs::remove(arguments.default_file);
  LoadResult again = load(arguments, &first->config);
  REQUIRE_FALSE(again);
  CHECK(again.error().front().text() == gone);
  dir.write("conf.d/b.toml", upstream("b"));
  again = load(arguments, &first->config);
  REQUIRE_FALSE(again);
  CHECK(again.error().front().text() == gone);
  CHECK(load(arguments, nullptr));  // as after a restart
}

TEST_CASE("the command line wins over the file") {
  const Directory dir;
  RunArguments arguments;
  arguments.config_file = dir.write("agent.toml",
                                    "[web]\nlisten_address = \":1\"\n[logging]\nlevel = \"error\"\n"
                                    "format = \"json\"\n");
  arguments.listen_addresses = {":2"};
  arguments.log_level = "debug";
  arguments.log_format = "logfmt";
  const LoadResult loaded = load(arguments, nullptr);
  REQUIRE(loaded);
  CHECK(loaded->config.web.listen_addresses == std::vector<std::string>{":2"});
  CHECK(loaded->config.logging.level == "debug");
  CHECK(loaded->config.logging.format == "logfmt");
}

}  // namespace
}  // namespace ua
