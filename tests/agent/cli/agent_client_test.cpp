// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/agent_client.h"

#include "tests/catch.h"

namespace ua {
namespace {

AgentAccess access(const std::string& address) {
  WebConfig web;
  web.listen_addresses = {parse_listen_address(address).value()};
  return access_of(web);
}

TEST_CASE("an agent is asked where its configuration says that it listens") {
  CHECK(access_of({}).url == "http://localhost:10917");
  CHECK(access(":9000").url == "http://localhost:9000");
  CHECK(access("0.0.0.0:9000").url == "http://localhost:9000");
  CHECK(access("[::]:9000").url == "http://localhost:9000");
  CHECK(access("[2001:db8::1]:9000").url == "http://[2001:db8::1]:9000");
  CHECK(access("10.0.0.1:9000").url == "http://10.0.0.1:9000");
  WebConfig secure;
  secure.tls.emplace();
  CHECK(access_of(secure).url == "https://localhost:10917");
  CHECK(access("unix:/run/a.sock").unix_socket == "/run/a.sock");
  CHECK(access("unix:/run/a.sock").url == "http://localhost");
}

TEST_CASE("where nobody listens the answer says what to look at") {
  const auto answer = ask_agent({"http://127.0.0.1:1", {}, {}, {}, {}, {}}, "/");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.starts_with("no answer from an agent at http://127.0.0.1:1: "));
  CHECK(answer.error().message.ends_with(
      "; is it running (systemctl status upstream-agent), and there (--url)?"));
}

}  // namespace
}  // namespace ua
