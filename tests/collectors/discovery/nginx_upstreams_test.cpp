// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_upstreams.h"

#include "tests/catch.h"

namespace ua {
namespace {

NginxUpstreams of(std::string_view text) {
  return nginx_upstreams(parse_nginx(text, "nginx.conf"));
}

TEST_CASE("an upstream block and what nginx sends to it") {
  const auto found = of(R"(http {
    upstream app { server 10.0.0.5:8080; server 10.0.0.6:8080 down; server unix:/run/app.sock; }
    server { server_name shop.example;
      location / { proxy_pass http://app/base; proxy_set_header Host $host; } } })");
  REQUIRE(found.upstreams.size() == 1);
  const DiscoveredUpstream& app = found.upstreams[0];
  CHECK(app.name == "app");
  CHECK(app.host == "shop.example");
  CHECK(app.origin == "nginx.conf:4");
  CHECK(app.targets ==
        std::vector<std::string>{"http://10.0.0.5:8080/base", "http+unix:///run/app.sock:/base"});
  CHECK(found.notes == std::vector<std::string>{"nginx.conf:2: 10.0.0.6:8080 is marked down"});
}

TEST_CASE("addresses in proxy_pass, FastCGI sockets, https, variables") {
  const auto found = of(R"(http { server {
    set $port 3000;
    location /a { proxy_pass http://127.0.0.1:$port; }
    location /b { fastcgi_pass unix:/run/php/fpm.sock; }
    location /c { proxy_pass https://api.example; proxy_ssl_server_name on; proxy_ssl_verify on; }
    location /d { proxy_pass http://$backend; } } })");
  REQUIRE(found.upstreams.size() == 3);
  CHECK(found.upstreams[0].targets[0] == "http://127.0.0.1:3000/");
  CHECK(found.upstreams[1].targets[0] == "tcp+unix:///run/php/fpm.sock");
  CHECK(found.upstreams[2].targets[0] == "https://api.example:443/");
  CHECK(found.upstreams[2].server_name == "api.example");
  CHECK(found.upstreams[2].verify);
  REQUIRE(found.notes.size() == 1);
  CHECK(found.notes[0] ==
        "nginx.conf:6: proxy_pass http://$backend holds a variable that is known at run time only");
}

TEST_CASE("quotes, comments, Lua and broken files do not derail the reader") {
  CHECK(of("# proxy_pass http://x;\nhttp { server { location / { content_by_lua_block { x = '{' } "
           "} location /z { proxy_pass \"http://127.0.0.1:1\"; } } }")
            .upstreams.size() == 1);
  CHECK(of("http { server { proxy_pass http://a:1; ").notes.size() == 1);
  CHECK(of("}").notes.size() == 1);
  CHECK(of(std::string(100'000, '{')).notes.size() == 1);
  CHECK(of(std::string(100'000, 'x')).upstreams.empty());
  CHECK(of(std::string("\0\xff\"unterminated", 16)).upstreams.empty());
}

TEST_CASE("a Host header that is none is not taken over") {
  const auto found =
      of("http { server { proxy_set_header Host \"a\r\nX: y\"; proxy_ssl_name 'a b';\n"
         "proxy_ssl_server_name on; proxy_pass https://10.0.0.5:8443; } }");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(found.upstreams[0].host.empty());
  CHECK(found.upstreams[0].server_name.empty());
  CHECK(found.notes ==
        std::vector<std::string>{
            "nginx.conf:3: 'a\\x0d\\x0aX: y' is no host name; the target's own is sent",
            "nginx.conf:3: 'a b' is no host name; the target's own is sent"});
}

TEST_CASE("variables are those of the nearest block") {
  const auto found =
      of("http { server { set $a 1; set $b 10.0.0.1; location /x { set $a 2;\n"
         "proxy_pass http://$b:$a; } location /y { proxy_pass http://$b:$a; } } }");
  REQUIRE(found.upstreams.size() == 2);
  CHECK(found.upstreams[0].targets == std::vector<std::string>{"http://10.0.0.1:2/"});
  CHECK(found.upstreams[1].targets == std::vector<std::string>{"http://10.0.0.1:1/"});
}

TEST_CASE("a proxy_pass to nothing, or to more than an address can be, is noted") {
  CHECK(of("proxy_pass http:///x;").notes ==
        std::vector<std::string>{"nginx.conf:1: proxy_pass names no host"});
  CHECK(of("proxy_pass http://" + std::string(1100, 'a') + ";").notes ==
        std::vector<std::string>{"nginx.conf:1: proxy_pass is too long to be an address"});
  const auto server =
      of("upstream u { server " + std::string(1100, 'a') + "; server b:1; } proxy_pass http://u;");
  REQUIRE(server.upstreams.size() == 1);
  CHECK(server.upstreams[0].targets == std::vector<std::string>{"http://b:1/"});
  CHECK(server.notes ==
        std::vector<std::string>{"nginx.conf:1: server is too long to be an address"});
}

TEST_CASE("many servers that are passed to many times are bounded in all") {
  std::string text = "upstream u {";
  for (int i = 0; i < 300; ++i) text += "server 10.0.0.1:" + std::to_string(i + 1) + ";";
  text += "}";
  for (int i = 0; i < 300; ++i) text += "proxy_pass http://u/" + std::to_string(i) + ";";
  const auto found = of(text);
  CHECK(found.upstreams.size() == 66);  // times 300 is just below 20 000
  CHECK(found.notes ==
        std::vector<std::string>{"nginx.conf:1: proxy_pass: more servers than are read"});
}

TEST_CASE("blocks without a directive in them are counted too") {
  std::string text;
  for (int i = 0; i < 200'001; ++i) text += "{}";
  const auto config = parse_nginx(text, "nginx.conf");
  CHECK(config.directives.size() == 200'000);
  CHECK(config.problems ==
        std::vector<std::string>{
            "nginx.conf:1: more directives than are read; the rest is left out"});
}

}  // namespace
}  // namespace ua
