// SPDX-License-Identifier: Apache-2.0
#include "agent/config/document.h"

#include <string>

#include "agent/load.h"
#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

toml::table parsed(const std::string& content) { return toml::parse(std::string_view(content)); }

/// What is shown is TOML again.
std::string shown(const std::vector<std::string>& files) {
  std::vector<toml::table> documents;
  for (const std::string& file : files) documents.push_back(parsed(file));
  std::string result = show_document(united(documents));
  CHECK(show_document(united({parsed(result)})) == result);
  return result.substr(result.find("\n\n") + 2);
}

TEST_CASE("several files are one document") {
  CHECK(shown({"[limits]\nmax_series = 5\n[[upstream]]\nname = \"a\"\n",
               "[limits]\nmax_in_flight = 6\n[web]\nlisten_address = [\":1\"]\n",
               "[[upstream]]\nname = \"b\"\n"}) ==
        "[limits]\nmax_in_flight = 6\nmax_series = 5\n\n[web]\nlisten_address = [ ':1' ]\n\n"
        "[[upstream]]\nname = 'a'\n\n[[upstream]]\nname = 'b'\n");
  CHECK(show_document(nullptr) ==
        "# The configuration in use: all files in one, flags of the command line included. Keys\n"
        "# that are not here have their defaults.\n\n\n");
}

TEST_CASE("what may be a secret is not shown") {
  const std::string text = shown({R"(
[web.basic_auth_users]
alice = "CANARY"
[web.tls_server_config]
key_file = "/etc/key.pem"
[[upstream]]
name = "a"
targets = ["http://u:CANARY@a/?token=CANARY", "https://b/p#CANARY"]
labels = { team = "payments" }
[upstream.http]
headers = { Authorization = "CANARY", cookie = "CANARY", X-Api-Key = "CANARY", X-Auth = "CANARY", X-Session-Id = "CANARY", Proxy-Authorization = "CANARY", Accept = "text/html" }
basic_auth = { username = "probe", password_file = "/etc/password", password = "CANARY" }
bearer_token_file = "/etc/token"
bearer_token = "CANARY"
body = "CANARY"
proxy_url = "http://me:CANARY@proxy:3128"
[upstream.tcp]
exchange = [{ send = "AUTH CANARY\r\n", expect = "OK" }]
)"});
  CAPTURE(text);
  CHECK(text.find("CANARY") == std::string::npos);
  for (const char* kept :
       {"alice = '<secret>'", "/etc/key.pem", "username = 'probe'", "/etc/password", "/etc/token",
        "Accept = 'text/html'", "team = 'payments'", "'OK'", "Authorization = '<secret>'",
        "http://***@a/?..."}) {
    CHECK_THAT(text, Catch::Contains(kept));
  }
}

TEST_CASE("flags, and what waits for a restart, are shown as they are in force") {
  const Directory dir;
  RunArguments arguments;
  arguments.config_file = dir.write("agent.toml", "[limits]\nmax_series = 5\n");
  arguments.listen_addresses = {*parse_listen_address(":1"), *parse_listen_address("unix:/a")};
  arguments.log_level = "debug";
  const auto first = load(arguments, nullptr);
  REQUIRE(first);
  const std::string in_force =
      "[limits]\nmax_series = 5\n\n[logging]\nlevel = 'debug'\n\n[web]\n"
      "listen_address = [ ':1', 'unix:/a' ]\n";
  CHECK_THAT(show_document(first->config.document), Catch::EndsWith(in_force));
  dir.write("agent.toml", "[limits]\nmax_series = 6\nmax_connections = 3\n");
  auto second = load(arguments, &first->config);
  REQUIRE(second);
  CHECK_THAT(show_document(second->config.document), Catch::EndsWith(in_force));
  dir.write("agent.toml", "[defaults]\ninterval = \"1m\"\n");
  second = load(arguments, &first->config);
  REQUIRE(second);
  CHECK_THAT(show_document(second->config.document),
             Catch::Contains("[limits]\nmax_series = 5\n") && Catch::Contains("interval = '1m'"));
  arguments.config_file.reset();
  arguments.default_file = dir / "nowhere.toml";
  arguments.log_level.reset();
  std::filesystem::remove(dir / "agent.toml");
  const auto none = load(arguments, nullptr);
  REQUIRE(none);
  CHECK_THAT(show_document(none->config.document),
             Catch::EndsWith("\n[web]\nlisten_address = [ ':1', 'unix:/a' ]\n"));
}

}  // namespace
}  // namespace ua
