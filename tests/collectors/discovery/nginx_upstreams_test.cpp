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

}  // namespace
}  // namespace ua
