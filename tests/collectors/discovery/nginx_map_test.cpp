// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_map.h"

#include "tests/catch.h"

namespace ua {
namespace {

using Lines = std::vector<std::string>;

NginxDirective block(const std::string& text) {
  const NginxConfig config = parse_nginx(text, "f");
  REQUIRE(config.directives.size() == 1);
  return config.directives[0];
}

Lines all(const std::string& text) { return nginx_map_values(block(text), std::nullopt).known; }

Lines for_source(const std::string& lines, const std::string& source) {
  return nginx_map_values(block("map $host $x { " + lines + " }"), source).known;
}

TEST_CASE("all values of a map, the default first and each once") {
  CHECK(all("map $host $x { a 1; b 2; c 1; default 3; hostnames; volatile; d ''; }") ==
        Lines{"3", "1", "2"});
  CHECK(all("map $host $x { a 1; default 1; }") == Lines{"1"});
  CHECK(all("geo $x { default a; 10.0.0.0/8 b; proxy 192.0.2.1; delete 10.1.0.0/16; ranges; }") ==
        Lines{"a", "b"});
  CHECK(all("split_clients $remote_addr $x { 10% a; * b; }") == Lines{"a", "b"});
  CHECK(all("map $host $x { proxy p; }") == Lines{"p"});
}

TEST_CASE("a map of more lines than are read says so") {
  std::string text = "map $host $x {";
  for (int i = 0; i < 1001; ++i) text += "a" + std::to_string(i) + " 1;";
  const NginxValues values = nginx_map_values(block(text + "}"), std::nullopt);
  CHECK(values.known == Lines{"1"});
  CHECK(values.more);
}

// Each was put to nginx 1.22.
TEST_CASE("the one value of a map whose source is known") {
  CHECK(for_source("A.example 1; default 2;", "a.example") == Lines{"1"});
  CHECK(for_source("a.example 1; default 2;", "b.example") == Lines{"2"});
  CHECK(for_source("a.example 1;", "b.example") == Lines{""});
  CHECK(for_source("a.example ''; default 2;", "a.example") == Lines{""});
  CHECK(for_source("\\default 1; default 2;", "default") == Lines{"1"});
  CHECK(for_source("~b 1; a.example 3; default 2;", "a.example") == Lines{"3"});
}

TEST_CASE("a map whose patterns may match its source has all its values") {
  CHECK(for_source("~b 1; default 2;", "b.example") == Lines{"2", "1"});
  CHECK(for_source("hostnames; *.example 1; default 2;", "b.example") == Lines{"2", "1"});
  CHECK(for_source("hostnames; .example 1; default 2;", "b.example") == Lines{"2", "1"});
}

TEST_CASE("what a map looks at") {
  CHECK(nginx_map_source(block("map $host $x { }")) == "host");
  CHECK(nginx_map_source(block("map $host$uri $x { }")).empty());
  CHECK(nginx_map_source(block("map x$host $x { }")).empty());
  CHECK(nginx_map_source(block("geo $host $x { }")).empty());
  CHECK(nginx_map_source(block("map $x { }")).empty());
}

}  // namespace
}  // namespace ua
