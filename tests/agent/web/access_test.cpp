// SPDX-License-Identifier: Apache-2.0
#include "agent/web/access.h"

#include "collectors/probes/net/endpoint.h"
#include "tests/catch.h"

using ua::AccessRequest;

namespace {

bool loopback(std::string_view literal) {
  return ua::is_loopback(ua::ip_endpoint(literal, 1234)->address());
}

}  // namespace

TEST_CASE("a local name is localhost or an address, with or without a port", "[web]") {
  const auto good =
      GENERATE(as<std::string_view>{}, "localhost", "LocalHost:10917", "127.0.0.1", "127.0.0.1:80",
               "192.0.2.7:10917", "[::1]", "[::1]:10917", "[::ffff:127.0.0.1]");
  CAPTURE(good);
  CHECK(ua::is_local_name(good));
}

TEST_CASE("any other name could be made to point here by DNS", "[web]") {
  const auto bad =
      GENERATE(as<std::string_view>{}, "", "evil.example", "localhost.evil.example", "localhost.",
               "127.0.0.1.evil.example", "[::1].evil.example", "[::1", "[evil.example]:80",
               "[127.0.0.1]", "::1", "2130706433", "127.1", "localhost:80.evil.example",
               "user@localhost", ":80", std::string_view("127.0.0.1\0.evil.example", 23),
               std::string_view("[::1\0.evil.example]", 19));
  CAPTURE(bad);
  CHECK_FALSE(ua::is_local_name(bad));
}

TEST_CASE("loopback is 127/8, ::1, their mixture and a Unix socket", "[web]") {
  CHECK(loopback("127.0.0.1"));
  CHECK(loopback("127.9.8.7"));
  CHECK(loopback("::1"));
  CHECK(loopback("::ffff:127.0.0.1"));
  CHECK(ua::is_loopback(ua::unix_endpoint("/run/agent.sock")->address()));
  CHECK_FALSE(loopback("192.0.2.1"));
  CHECK_FALSE(loopback("10.127.0.1"));
  CHECK_FALSE(loopback("2001:db8::1"));
  CHECK_FALSE(loopback("::ffff:192.0.2.1"));
  CHECK_FALSE(loopback("::"));
  CHECK_FALSE(ua::is_loopback(nullptr));
}

TEST_CASE("headers of a proxy are known in any case", "[web]") {
  CHECK(ua::is_forwarding("Forwarded"));
  CHECK(ua::is_forwarding("x-forwarded-for"));
  CHECK(ua::is_forwarding("X-FORWARDED-Host"));
  CHECK_FALSE(ua::is_forwarding("X-Forward"));
  CHECK_FALSE(ua::is_forwarding("Forwarded-Not"));
}

TEST_CASE("who may have a private page, and who may act", "[web]") {
  struct Case {
    AccessRequest request;
    bool reads, acts;
  };
  const auto row =
      GENERATE(Case{{true, "localhost:10917", "", false}, true, true},
               Case{{true, "", "", false}, true, true},  // HTTP/1.0
               Case{{true, "localhost:10917", "http://localhost:10917", false}, true, true},
               Case{{true, "[::1]:10917", "http://[::1]:10917", false}, true, true},
               Case{{true, "localhost:10917", "http://localhost:3000", false}, true, false},
               Case{{true, "localhost:10917", "https://evil.example", false}, true, false},
               Case{{true, "localhost:10917", "null", false}, true, false},
               Case{{true, "", "http://", false}, true, false},
               Case{{true, "evil.example:10917", "", false}, false, false},
               Case{{true, "evil.example", "http://evil.example", false}, false, false},
               Case{{true, "localhost", "", true}, false, false},
               Case{{false, "localhost", "", false}, false, false});
  CAPTURE(row.request.host, row.request.origin, row.request.forwarded, row.request.from_loopback);
  CHECK(ua::refuse_private(row.request).has_value() != row.reads);
  CHECK(ua::refuse_action(row.request).has_value() != row.acts);
}

TEST_CASE("a refusal says what to do instead", "[web]") {
  const auto says = [](const AccessRequest& request, const char* what) {
    CHECK_THAT(ua::refuse_action(request).value_or(""), Catch::Contains(what));
  };
  says({false, "localhost", "", false}, "ssh -L");
  says({true, "localhost", "", true}, "Ask the agent directly");
  says({true, "evil.example", "", false}, "http://localhost:PORT/");
  says({true, "localhost", "http://evil.example", false}, "SIGHUP");
}

TEST_CASE("who has authenticated may ask from anywhere, but not for a page of somebody else's",
          "[web]") {
  AccessRequest request;
  request.authenticated = true;
  request.host = "agent.example:10917";
  request.forwarded = true;
  CHECK_FALSE(ua::refuse_private(request));
  CHECK_FALSE(ua::refuse_action(request));  // no browser
  request.origin = "https://agent.example:10917";
  CHECK_FALSE(ua::refuse_action(request));
  for (const std::string_view origin :
       {"https://evil.example", "https://agent.example", "null", "agent.example:10917",
        "https://agent.example:10917.evil.example", "ftp://agent.example:10917"}) {
    CAPTURE(origin);
    request.origin = origin;
    CHECK_FALSE(ua::refuse_private(request));
    CHECK(ua::refuse_action(request));
  }
}

TEST_CASE("over TLS, a page that came without it is nobody's", "[web]") {
  AccessRequest request{true, "localhost:1", "http://localhost:1"};
  CHECK_FALSE(ua::refuse_action(request));
  request.tls = true;
  CHECK(ua::refuse_action(request));
  request.origin = "HTTPS://localhost:1";
  CHECK_FALSE(ua::refuse_action(request));
  request.tls = false;  // a proxy took it off
  CHECK_FALSE(ua::refuse_action(request));
}
