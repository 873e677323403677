// SPDX-License-Identifier: Apache-2.0
#include "agent/config/discovered.h"

#include "tests/catch.h"

namespace ua {
namespace {

Discovered of(std::string_view text) {
  return probed_upstreams(nginx_upstreams(parse_nginx(text, "nginx.conf")));
}

std::vector<std::string> labels(const UpstreamConfig& upstream) {
  std::vector<std::string> result;
  for (const TargetConfig& one : upstream.targets) result.push_back(one.target.label);
  return result;
}

TEST_CASE("upstreams of nginx become upstreams that are probed") {
  const auto found =
      of("http { upstream app { server a:1; server unix:/run/b.sock; } server {\n"
         "proxy_pass http://app/x; } server { server_name c.example;\n"
         "proxy_set_header Host $host; proxy_pass http://app/x; } }");
  REQUIRE(found.upstreams.size() == 2);
  CHECK(found.upstreams[0].name == "app");
  CHECK(found.upstreams[0].origin == "nginx.conf:2");
  CHECK(labels(found.upstreams[0]) ==
        std::vector<std::string>{"http://a:1/x", "http+unix:///run/b.sock:/x"});
  CHECK(found.upstreams[1].name == "app for c.example");
  CHECK(found.notes.empty());
}

TEST_CASE("a server that stands twice is one target") {
  const auto found =
      of("upstream app { server a:1; server b:1; server a:1; } proxy_pass http://app;");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(labels(found.upstreams[0]) == std::vector<std::string>{"http://a:1/", "http://b:1/"});
}

TEST_CASE("no note shows credentials or a query") {
  const auto found =
      of("http { server {\n"
         "location /1 { proxy_pass http://user:hunter2@10.0.0.7:80/; }\n"
         "location /2 { proxy_pass http://$nowhere/?key=hunter2$arg_x; }\n"
         "location /3 { proxy_pass ws://user:hunter2@10.0.0.7/?key=hunter2; }\n"
         "location /4 { proxy_pass http://a:b/?key=hunter2; }\n} }");
  CHECK(found.upstreams.empty());
  CHECK(found.notes ==
        std::vector<std::string>{
            "nginx.conf:2: '***@10.0.0.7:80' is no host name; the target's own is sent",
            "nginx.conf:3: proxy_pass http://$nowhere/?... holds a variable that is known at run "
            "time only",
            "nginx.conf:4: proxy_pass ws://***@10.0.0.7/?...: the scheme is unknown",
            "nginx.conf:2: http://***@10.0.0.7:80/: credentials do not belong into a target; use "
            "http.basic_auth with a password file",
            "nginx.conf:5: http://a:b/?...: a port is a number from 1 to 65535, not 'b'"});
}

TEST_CASE("names and notes made of foreign bytes are printable") {
  const auto found =
      of("upstream \xff\x1b { server a:1; server \x1b[31m; }\n"
         "proxy_pass http://\xff\x1b;");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(found.upstreams[0].name == "\\xff\\x1b");
  CHECK(
      found.notes ==
      std::vector<std::string>{
          "nginx.conf:2: '\\xff\\x1b' is no host name; the target's own is sent",
          "nginx.conf:2: http://\\x1b[31m:80/: a target has no spaces and no control characters"});
}

}  // namespace
}  // namespace ua
