// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/target.h"

#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/probe_types.h"
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

TEST_CASE("a query never becomes part of the label") {
  for (const char* url : {"http://a:1/x?token=s", "http://a:1/x#token=s", "http://a:1/x?a#token=s"})
    CHECK(parse_target(url)->label == "http://a:1/x");
  CHECK(parse_target("https://a?token=s")->label == "https://a");
  CHECK(parse_target("http+unix:///run/a.sock:/x?token=s")->label == "http+unix:///run/a.sock:/x");
}

TEST_CASE("an IPv6 zone is a name that fits anywhere a host stands") {
  CHECK(parse_target("tcp://[fe80::1%eth0.100]:22")->host == "fe80::1%eth0.100");
  CHECK(parse_target("tcp://[fe80::1%25eth0]:22")->host == "fe80::1%eth0");  // RFC 6874
  for (const std::string zone :
       {"", "a b", "a\"b", "a/b", "\xd8\x9c", "$(reboot)", "0123456789abcdef"}) {
    INFO(zone);
    CHECK_FALSE(parse_target("tcp://[fe80::1%" + zone + "]:22"));
    CHECK_FALSE(ip_endpoint("fe80::1%" + zone, 22));
  }
}

TEST_CASE("a NUL byte never ends an address early") {
  CHECK_FALSE(ip_endpoint(std::string_view("127.0.0.1\0x", 11), 80));
  CHECK_FALSE(ip_endpoint(std::string_view("::1\0x", 5), 80));
  CHECK_FALSE(unix_endpoint(std::string_view("/run/a\0b", 8)));
}

TEST_CASE("what is no target says what to do") {
  const std::string long_path = "tcp+unix:///" + std::string(107, 'a');
  const std::string long_host = "http://" + std::string(254, 'a') + "/";
  const std::string known = "; there are " + known_schemes();
  struct Row {
    std::string url;
    std::string message;
  };
  const Row rows[] = {
      {"127.0.0.1:80",
       "a target is a URL, as in http://127.0.0.1:8080/healthz or tcp://127.0.0.1:5432; "
       "'127.0.0.1:80' has no scheme"},
      {"",
       "a target is a URL, as in http://127.0.0.1:8080/healthz or tcp://127.0.0.1:5432; '' has "
       "no scheme"},
      {"ftp://host/x", std::string("no probe for 'ftp://'") + known},
      {"grpc://host:1/x", std::string("'grpc://' is not supported by this version") + known},
      {"://host/", std::string("no probe for '://'") + known},
      {"http://u:p@host/",
       "credentials do not belong into a target; use http.basic_auth with a password file"},
      {"http://host:99999/", "a port is a number from 1 to 65535, not '99999'"},
      {"http://host:0/", "a port is a number from 1 to 65535, not '0'"},
      {"http://host:-1/", "a port is a number from 1 to 65535, not '-1'"},
      {"http://host:8080x/", "a port is a number from 1 to 65535, not '8080x'"},
      {"http://host:/", "the port is missing after ':'"},
      {"http://:80/", "the host is missing"},
      {"http:///x", "the host is missing"},
      {"http://-x/", "a host does not begin with '-'"},
      {"http://a..b/", "an empty part between the dots of 'a..b'"},
      {"http://.a/", "an empty part between the dots of '.a'"},
      {"http://a,b/", "a host has letters, digits, '.', '-' and '_' only, unlike 'a,b'"},
      {"http://a\\b/", "a host has letters, digits, '.', '-' and '_' only, unlike 'a\\b'"},
      {"http://caf\xc3\xa9/", "a host is ASCII; write 'caf\xc3\xa9' in its xn-- form"},
      {long_host, "a host has at most 253 characters"},
      {"tcp://db", "the port is missing, as in tcp://db:5432"},
      {"tcp://[::1]", "the port is missing, as in tcp://[::1]:5432"},
      {"tcp://db:5432/x", "a tcp target has no path: '/x'"},
      {"http://::1/", "an IPv6 address stands in brackets, as in [::1]"},
      {"http://[::1/", "'[' without ']' in the host"},
      {"http://[::1]x/", "unexpected text after ']': 'x'"},
      {"http://[::1]:/", "the port is missing after ':'"},
      {"http://[::zz]/", "'::zz' is no IPv6 address"},
      {"http://[127.0.0.1]/", "'127.0.0.1' is no IPv6 address"},
      {"http://[]/", "'' is no IPv6 address"},
      {"http://a b/", "a target has no spaces and no control characters"},
      {"http://a/\x1b[31m", "a target has no spaces and no control characters"},
      {"tcp+unix://run/app.sock",
       "a Unix socket needs an absolute path, as in tcp+unix:///run/app.sock"},
      {"tcp+unix:///run/app.sock:/x", "a tcp+unix target has no path after its socket"},
      {"http+unix:///run/app.sock:x", "the path after the socket's colon starts with '/', not 'x'"},
      {"http+unix:///run/app.sock?x=1",
       "a query belongs to a path, which stands after the socket and a colon, as in "
       "http+unix:///run/app.sock:/path?query"},
      {long_path, "the path of a Unix socket has at most 107 bytes"},
  };
  for (const Row& row : rows) {
    INFO(row.url);
    const auto target = parse_target(row.url);
    REQUIRE_FALSE(target);
    CHECK(target.error().message == row.message);
  }
}

TEST_CASE("no message shows credentials or a query") {
  constexpr const char* kNoScheme =
      "a target is a URL, as in http://127.0.0.1:8080/healthz or tcp://127.0.0.1:5432; ";
  constexpr const char* kCredentials =
      "credentials do not belong into a target; use http.basic_auth with a password file";
  const std::pair<std::string, std::string> rows[] = {
      {"user:hunter2@db:5432", kNoScheme + std::string("'***@db:5432' has no scheme")},
      {"db:5432/p?tok=hunter2", kNoScheme + std::string("'db:5432/p?...' has no scheme")},
      {"db/?to=http://hunter2", kNoScheme + std::string("'db/?...' has no scheme")},
      {"hunter2@http://db/", kNoScheme + std::string("'***@http://db/' has no scheme")},
      {"tcp://db:5432/p?tok=hunter2", "a tcp target has no path: '/p?...'"},
      {"tcp://db:5432?tok=hunter2", "a tcp target has no path: '?...'"},
      {"tcp://db:5432/p#hunter2", "a tcp target has no path: '/p'"},
      {"tcp://user:hunter2@db:5432", kCredentials},
      {"tcp://user:hun/ter2@db:5432", kCredentials},
      {"http://user:hun/ter2@db:5432", kCredentials},
      {"http://user:hun?ter2@db:5432", kCredentials},
      {"http+unix:///run/a.sock:x?tok=hunter2",
       "the path after the socket's colon starts with '/', not 'x?...'"},
  };
  for (const auto& [url, message] : rows) {
    INFO(url);
    const auto target = parse_target(url);
    REQUIRE_FALSE(target);
    CHECK(target.error().message == message);
  }
  CHECK(parse_target("http://registry:80/@scope/x"));
}

TEST_CASE("a redirect's location is seen from where it was given") {
  // RFC 3986 section 5.4, as far as http goes
  struct Row {
    const char* location;
    const char* url;  // host:port and path with query
  };
  constexpr Row kRows[] = {
      {"/z", "a.example:8443/z"},
      {"z", "a.example:8443/x/z"},
      {"./z", "a.example:8443/x/z"},
      {"z/", "a.example:8443/x/z/"},
      {"..", "a.example:8443/"},
      {"../z", "a.example:8443/z"},
      {"../../../z", "a.example:8443/z"},
      {"/a/./b/../c", "a.example:8443/a/c"},
      {".", "a.example:8443/x/"},
      {"z;x=1?y=2", "a.example:8443/x/z;x=1?y=2"},
      {"/../z?next=/../q", "a.example:8443/z?next=/../q"},
      {"?p=2", "a.example:8443/x/y?p=2"},
      {"#top", "a.example:8443/x/y?q=1"},
      {"z#top", "a.example:8443/x/z"},
      {"", "a.example:8443/x/y?q=1"},
      {" /z ", "a.example:8443/z"},
      {"/with space/\xc3\xa9", "a.example:8443/with%20space/%C3%A9"},
      {"//b.example/z", "b.example:443/z"},
      {"http://c.example", "c.example:80/"},
      {"HTTPS://c.example/?a", "c.example:443/?a"},
  };
  const Target base = *parse_target("https://a.example:8443/x/y?q=1");
  for (const Row& row : kRows) {
    INFO(row.location);
    const auto target = resolve_location(base, row.location);
    REQUIRE(target);
    CHECK(target->authority() + target->path == row.url);
  }
}

TEST_CASE("a redirect from a Unix socket stays there or leaves for the network") {
  const Target base = *parse_target("http+unix:///run/a.sock:/x/y");
  CHECK(resolve_location(base, "z")->unix_path == "/run/a.sock");
  CHECK(resolve_location(base, "z")->path == "/x/z");
  CHECK(resolve_location(base, "http://b.example/")->host == "b.example");
  CHECK(resolve_location(base, "//b.example/")->scheme == "http");
}

TEST_CASE("a redirect leads nowhere but to http and https, without credentials") {
  const Target base = *parse_target("https://a.example/");
  for (const char* location :
       {"ftp://c.example/", "file:///etc/passwd", "gopher://c:70/x", "javascript:alert(1)",
        "http+unix:///run/docker.sock:/", "tcp://c.example:22", "data:text/plain,x"}) {
    INFO(location);
    const auto target = resolve_location(base, location);
    REQUIRE_FALSE(target);
    CHECK(target.error().message == "a redirect may lead to http and https only");
  }
  CHECK_FALSE(resolve_location(base, "http://u:p@c.example/"));
  CHECK_FALSE(resolve_location(base, "//u@c.example/"));
  CHECK_FALSE(resolve_location(base, "/a\r\nX: y"));
}

TEST_CASE("a redirect's target knows whether it left the configured origin, for good") {
  const Target base = *parse_target("https://a.example/x");
  const auto foreign = [](const Target& from, const char* location) {
    return resolve_location(from, location)->foreign_origin;
  };
  CHECK_FALSE(foreign(base, "/y"));
  CHECK_FALSE(foreign(base, "https://A.example:443/y"));
  CHECK(foreign(base, "http://a.example/y"));        // a downgrade
  CHECK(foreign(base, "https://a.example:8443/y"));  // another port
  CHECK(foreign(base, "https://b.example/y"));
  const Target away = *resolve_location(base, "https://b.example/y");
  CHECK(foreign(away, "/z"));
  CHECK(foreign(away, "https://a.example/"));  // back again: b chose where
}

}  // namespace
}  // namespace ua
