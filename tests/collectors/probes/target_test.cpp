// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/target.h"

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("targets are taken apart") {
  const auto http = parse_target("HTTP://Example.org:8080/health?token=x#top");
  REQUIRE(http);
  CHECK(http->scheme == "http");
  CHECK(http->host == "Example.org");
  CHECK(http->port == 8080);
  CHECK(http->path == "/health?token=x");
  CHECK(http->label == "HTTP://Example.org:8080/health");
  CHECK(parse_target("https://a")->port == 443);
  CHECK(parse_target("http://a?x=1")->path == "/?x=1");
  const auto v6 = parse_target("tcp://[2001:db8::1]:5432");
  REQUIRE(v6);
  CHECK(v6->host == "2001:db8::1");
  CHECK(v6->authority() == "[2001:db8::1]:5432");
  const auto socket = parse_target("http+unix:///run/app.sock:/ready");
  REQUIRE(socket);
  CHECK(socket->unix_path == "/run/app.sock");
  CHECK(socket->path == "/ready");
  CHECK(parse_target("http+unix:///run/app.sock")->path == "/");
  CHECK(parse_target("tcp+unix:///run/app.sock")->unix_path == "/run/app.sock");
}

TEST_CASE("what is no target says what to do") {
  const auto message = [](const char* url) { return parse_target(url).error().message; };
  CHECK(message("127.0.0.1:80") ==
        "a target is a URL, as in http://127.0.0.1:8080/healthz or tcp://127.0.0.1:5432; "
        "'127.0.0.1:80' has no scheme");
  CHECK(message("http://u:p@host/") ==
        "credentials do not belong into a target; use http.basic_auth with a password file");
  CHECK(message("http://host:99999/") == "a port is a number from 1 to 65535, not '99999'");
  CHECK(message("http://host:0/") == "a port is a number from 1 to 65535, not '0'");
  CHECK(message("http://:80/") == "the host is missing");
  CHECK(message("http://-x/") == "a host does not begin with '-'");
  CHECK(message("tcp://db") == "the port is missing, as in tcp://db:5432");
  CHECK(message("tcp://db:5432/x") == "a tcp target has no path: '/x'");
  CHECK(message("http://::1/") == "an IPv6 address stands in brackets, as in [::1]");
  CHECK(message("http://a b/") == "a target has no spaces and no control characters");
  CHECK(message("tcp+unix://run/app.sock") ==
        "a Unix socket needs an absolute path, as in tcp+unix:///run/app.sock");
}

TEST_CASE("a redirect's location is seen from where it was given") {
  const Target base = *parse_target("https://a.example:8443/x/y?q=1");
  CHECK(resolve_location(base, "/z")->label == "https://a.example:8443/z");
  CHECK(resolve_location(base, "z")->path == "/x/z");
  CHECK(resolve_location(base, "?p=2")->path == "/x/y?p=2");
  CHECK(resolve_location(base, "//b.example/z")->host == "b.example");
  CHECK(resolve_location(base, "http://c.example/")->scheme == "http");
  CHECK_FALSE(resolve_location(base, "ftp://c.example/"));
  CHECK_FALSE(resolve_location(base, "file:///etc/passwd"));
  CHECK_FALSE(resolve_location(base, "http://u:p@c.example/"));
}

}  // namespace
}  // namespace ua
