// SPDX-License-Identifier: Apache-2.0
#include "agent/config/discovered.h"

#include "tests/catch.h"

namespace ua {
namespace {

Discovered of(std::string_view text) {
  return probed_upstreams(nginx_upstreams(parse_nginx(text, "nginx.conf")), Config());
}

std::vector<std::string> labels(const UpstreamConfig& upstream) {
  std::vector<std::string> result;
  for (const TargetConfig& one : upstream.targets) result.push_back(one.target.label);
  return result;
}

TEST_CASE("upstreams of nginx become upstreams that are probed") {
  const auto found =
      of("http { upstream app { server a:1; server unix:/run/b.sock; } server {\n"
         "location / { proxy_pass http://app/x; } } server { server_name c.example;\n"
         "proxy_set_header Host $host; location / { proxy_pass http://app/x; } } }");
  REQUIRE(found.upstreams.size() == 2);
  CHECK(found.upstreams[0].name == "app");
  CHECK(found.upstreams[0].origin == "nginx.conf:2");
  CHECK(labels(found.upstreams[0]) ==
        std::vector<std::string>{"http://a:1/x", "http+unix:///run/b.sock:/x"});
  CHECK(found.upstreams[0].targets[1].type == "http");
  CHECK(found.upstreams[1].name == "app for c.example");
  CHECK(found.notes.empty());
}

TEST_CASE("the defaults hold for what is discovered") {
  Config settings;
  settings.defaults = {1s, 3, 4, {500ms, AddressMode::all, IpProtocol::v4, 100ms}};
  const auto found = probed_upstreams(
      nginx_upstreams(parse_nginx("http { server { proxy_pass http://a; } }", "f")), settings);
  REQUIRE(found.upstreams.size() == 1);
  const UpstreamConfig& one = found.upstreams[0];
  CHECK(one.interval == 1s);
  CHECK(one.rise == 3);
  CHECK(one.fall == 4);
  CHECK(one.run.timeout == 500ms);
  CHECK(one.run.addresses == AddressMode::all);
  CHECK(one.run.ip_protocol == IpProtocol::v4);
  CHECK(one.run.slow_threshold == 100ms);
}

TEST_CASE("a server that stands twice is one target") {
  const auto found =
      of("http { upstream app { server a:1; server b:1; server a:1; }"
         " server { location / { proxy_pass http://app; } } }");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(labels(found.upstreams[0]) == std::vector<std::string>{"http://a:1/", "http://b:1/"});
}

TEST_CASE("an upstream without a target that can be probed is left out, and that is noted") {
  const auto found =
      of("http { server { location / { proxy_pass http://a:b/?key=hunter2; }\n"
         "location /x { proxy_pass http://unix:x/; } } }");
  CHECK(found.upstreams.empty());
  CHECK(found.notes ==
        std::vector<std::string>{
            "nginx.conf:1: http://a:b/?...: a port is a number from 1 to 65535, not 'b'",
            "nginx.conf:2: http+unix://x/:/: a Unix socket needs an absolute path, as in "
            "http+unix:///run/app.sock"});
}

TEST_CASE("no note shows credentials or a query") {
  const auto found =
      of("http { server {\n"
         "location /1 { proxy_pass http://user:hunter2@10.0.0.7:80/; }\n"
         "location /2 { proxy_pass http://$nowhere/?key=hunter2$arg_x; }\n"
         "location /3 { proxy_pass ws://user:hunter2@10.0.0.7/?key=hunter2; }\n"
         "location /4 { proxy_pass http://a/?key=hunter2; proxy_pass http://a/?key=hunter3; }\n"
         "location /5 { proxy_set_header Host user:hunter2@a; proxy_pass http://b; }\n"
         "} upstream u { server user:hunter2@10.0.0.7; } server { location / {\n"
         "proxy_pass http://u/; } } }");
  std::string all;
  for (const std::string& note : found.notes) all += note + '\n';
  INFO(all);
  CHECK(found.notes.size() == 6);
  CHECK(all.find("hunter") == std::string::npos);
}

TEST_CASE("names and notes made of foreign bytes are printable") {
  const auto found =
      of("http { upstream \xff\x1b { server a:1; server \x1b[31m; } server { location / {\n"
         "proxy_pass http://\xff\x1b; } } }");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(found.upstreams[0].name == "\\xff\\x1b");
  CHECK(
      found.notes ==
      std::vector<std::string>{
          "nginx.conf:2: proxy_pass http://\\xff\\x1b the address is no host name; localhost is "
          "sent",
          "nginx.conf:2: http://\\x1b[31m:80/: a target has no spaces and no control characters"});
}

}  // namespace
}  // namespace ua
