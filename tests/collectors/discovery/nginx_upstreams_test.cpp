// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_upstreams.h"

#include "tests/catch.h"

namespace ua {
namespace {

using Lines = std::vector<std::string>;

NginxUpstreams of(std::string_view text) {
  return nginx_upstreams(parse_nginx(text, "nginx.conf"));
}

/// All targets, a line each: "NAME (HOST) URL", then what is special about TLS.
Lines lines(const NginxUpstreams& found) {
  Lines result;
  for (const DiscoveredUpstream& upstream : found.upstreams) {
    for (const DiscoveredTarget& target : upstream.targets) {
      result.push_back(upstream.name + " (" + upstream.host + ") " + target.url +
                       (target.server_name.empty() ? "" : " sni=" + target.server_name) +
                       (target.verify ? " ca=" + target.ca_file : ""));
    }
  }
  return result;
}

/// Those of one location's directives.
Lines targets_in_location(const std::string& directives, const std::string& http = "") {
  const NginxUpstreams found = of("http { upstream web { server 10.0.0.1; } " + http +
                                  " server { location / { " + directives + " } } }");
  Lines result = lines(found);
  for (const std::string& note : found.notes) result.push_back("note " + note);
  return result;
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
  CHECK(app.targets[1].origin == "nginx.conf:4");
  CHECK(lines(found) == Lines{"app (shop.example) http://10.0.0.5:8080/base",
                              "app (shop.example) http+unix:///run/app.sock:/base"});
  CHECK(found.notes == Lines{"nginx.conf:2: server 10.0.0.6:8080 is marked down"});
}

// Each was put to nginx 1.22 in front of a server that says what it was asked.
TEST_CASE("the address, the port and the default Host of a proxy_pass") {
  const std::pair<std::string, std::string> rows[] = {
      {"http://10.0.0.1", "10.0.0.1:80 (10.0.0.1) http://10.0.0.1:80/"},
      {"http://10.0.0.1:80/", "10.0.0.1:80 (10.0.0.1) http://10.0.0.1:80/"},
      {"http://10.0.0.1:8080", "10.0.0.1:8080 (10.0.0.1:8080) http://10.0.0.1:8080/"},
      {"https://10.0.0.1", "10.0.0.1:443 (10.0.0.1) https://10.0.0.1:443/"},
      {"https://10.0.0.1:443", "10.0.0.1:443 (10.0.0.1) https://10.0.0.1:443/"},
      {"https://10.0.0.1:80", "10.0.0.1:80 (10.0.0.1:80) https://10.0.0.1:80/"},
      {"http://10.0.0.1:443", "10.0.0.1:443 (10.0.0.1:443) http://10.0.0.1:443/"},
      {"HTTP://Api.Example/x", "api.example:80 (Api.Example) http://api.example:80/x"},
      {"http://[::1]", "[::1]:80 ([::1]) http://[::1]:80/"},
      {"http://[::1]:8080/x", "[::1]:8080 ([::1]:8080) http://[::1]:8080/x"},
      {"http://unix:/run/a.sock", "unix:/run/a.sock (localhost) http+unix:///run/a.sock:/"},
      {"http://unix:/run/a.sock:/u/", "unix:/run/a.sock (localhost) http+unix:///run/a.sock:/u/"},
      {"http://a?x=1", "a:80 (a) http://a:80/?x=1"},
      {"http://a/d?token=1", "a:80 (a) http://a:80/d?token=1"},
      {"http://web", "web (web) http://10.0.0.1:80/"},
      {"http://WEB/u", "web (WEB) http://10.0.0.1:80/u"},
      {"https://web", "web (web) https://10.0.0.1:80/"},
      {"http://web:8080", "web:8080 (web:8080) http://web:8080/"},
  };
  for (const auto& [address, wanted] : rows) {
    CAPTURE(address);
    CHECK(targets_in_location("proxy_pass " + address + ";") == Lines{wanted});
  }
}

TEST_CASE("an address that nginx does not take is noted") {
  const std::pair<std::string, std::string> rows[] = {
      {"proxy_pass 10.0.0.1", "has no scheme that nginx takes"},
      {"proxy_pass ws://10.0.0.1", "has no scheme that nginx takes"},
      {"proxy_pass http://", "names no host"},
      {"proxy_pass http:///x", "names no host"},
      {"proxy_pass http://10.0.0.1:", "names no port after the ':'"},
      {"grpc_pass http://10.0.0.1:1", "has no scheme that nginx takes"},
      {"grpc_pass grpcs://10.0.0.1", "names no port"},
      {"scgi_pass scgi://10.0.0.1:1", "has no scheme that nginx takes"},
      {"fastcgi_pass 10.0.0.1", "names no port"},
      {"memcached_pass 10.0.0.1", "names no port"},
  };
  for (const auto& [directive, why] : rows) {
    CHECK(targets_in_location(directive + ";") ==
          Lines{"note nginx.conf:1: " + directive + ' ' + why});
  }
  CHECK(targets_in_location("proxy_pass http://user:secret@10.0.0.7:80/;") ==
        Lines{"note nginx.conf:1: proxy_pass http://***@10.0.0.7:80/ holds credentials, which "
              "nginx does not take there"});
}

TEST_CASE("what has no probe of its own is connected to, at the port that nginx takes") {
  const std::pair<std::string, std::string> rows[] = {
      {"grpc_pass grpc://10.0.0.9:50051", "10.0.0.9:50051 () tcp://10.0.0.9:50051"},
      {"grpc_pass grpcs://web", "web () tcp://10.0.0.1:80"},
      {"fastcgi_pass unix:/run/php.sock", "unix:/run/php.sock () tcp+unix:///run/php.sock"},
      {"fastcgi_pass web", "web () tcp://10.0.0.1:80"},
      {"uwsgi_pass suwsgi://10.0.0.1:3031", "10.0.0.1:3031 () tcp://10.0.0.1:3031"},
      {"scgi_pass localhost:4000", "localhost:4000 () tcp://localhost:4000"},
      {"memcached_pass 10.0.0.1:11211", "10.0.0.1:11211 () tcp://10.0.0.1:11211"},
  };
  for (const auto& [directive, wanted] : rows) {
    CHECK(targets_in_location(directive + ";") == Lines{wanted});
  }
}

TEST_CASE("TLS that no probe speaks is never asked in the clear") {
  const std::string unix_tls = "is TLS over a Unix socket, for which there is no probe";
  CHECK(targets_in_location("proxy_pass https://unix:/run/y.sock:/u;") ==
        Lines{"note nginx.conf:1: proxy_pass https://unix:/run/y.sock:/u " + unix_tls});
  CHECK(targets_in_location("proxy_pass https://unix:/run/y.sock; proxy_ssl_certificate c.pem;") ==
        Lines{"note nginx.conf:1: proxy_pass https://unix:/run/y.sock " + unix_tls});
  CHECK(targets_in_location("proxy_pass https://mix;",
                            "upstream mix { server a:1; server unix:/run/t.sock; }") ==
        Lines{"mix (mix) https://a:1/", "note nginx.conf:1: proxy_pass https://mix " + unix_tls});
  CHECK(targets_in_location("proxy_pass https://a; proxy_ssl_certificate c.pem;") ==
        Lines{"a:443 () tcp://a:443",
              "note nginx.conf:1: proxy_pass https://a is shown a certificate of nginx's, which no "
              "probe does: a connect is tried"});
}

TEST_CASE("stream and http have upstreams of their own") {
  const auto found = of(R"(stream {
    upstream web { server 10.9.9.9:5432; server 10.9.9.8; server unix:/run/pg.sock; }
    upstream dns { server 10.0.0.53:53; }
    server { listen 1; proxy_pass web; }
    server { listen 53 udp; proxy_pass dns; }
    server { listen 54; listen 54 udp; proxy_pass 10.0.0.54:53; }
    server { listen 2; proxy_pass 10.0.0.1; }
    server { listen 3; proxy_pass http://10.0.0.1:5; }
  }
  http { upstream web { server 10.0.0.1; } server { location / { proxy_pass http://web; } } })");
  CHECK(lines(found) == Lines{"web () tcp://10.9.9.9:5432", "web () tcp+unix:///run/pg.sock",
                              "10.0.0.54:53 () tcp://10.0.0.54:53",
                              "web by http (web) http://10.0.0.1:80/"});
  CHECK(found.notes == Lines{"nginx.conf:2: server 10.9.9.8 names no port",
                             "nginx.conf:5: proxy_pass dns is reached by UDP, for which there is "
                             "no probe",
                             "nginx.conf:7: proxy_pass 10.0.0.1 names no port",
                             "nginx.conf:8: proxy_pass http://10.0.0.1:5 has no scheme that nginx "
                             "takes"});
}

TEST_CASE("what stands beside a server's address") {
  CHECK(targets_in_location("proxy_pass http://u;",
                            "upstream u { zone z 64k; least_conn; keepalive 3;"
                            " server 10.0.0.2 weight=5 max_fails=3 fail_timeout=3s;"
                            " server 10.0.0.3:81 backup; server a.internal resolve;"
                            " server b service=http; server 10.0.0.2; server '10.0.0.4' down; }") ==
        Lines{"u (u) http://10.0.0.2:80/", "u (u) http://10.0.0.3:81/",
              "u (u) http://a.internal:80/",
              "note nginx.conf:1: server b takes its port from DNS (service=), which is not asked",
              "note nginx.conf:1: server 10.0.0.4 is marked down"});
  CHECK(targets_in_location("proxy_pass http://u;", "upstream u { keepalive 3; }") ==
        Lines{"note nginx.conf:1: upstream u names no server"});
  CHECK(targets_in_location("proxy_pass http://u;",
                            "upstream u { server 0.0.0.1; balancer_by_lua_block { x = '}' } }") ==
        Lines{"note nginx.conf:1: Lua chooses the servers of u at run time"});
}

TEST_CASE("a proxy_pass counts where nginx takes it") {
  const auto found = of(R"(
    http { server {
      location /a { location /a/b { proxy_pass http://a:1; } }
      location /c { proxy_pass http://c:1; if ($arg_x) { proxy_pass http://c:2; }
                    limit_except GET { proxy_pass http://c:3; } }
      location @named { proxy_pass http://d:1; }
      mirror /m; location = /m { internal; proxy_pass http://e:1$request_uri; }
    }
    map $arg_x $y { default 1; proxy_pass http://evil; }
    types { proxy_pass http://evil; } }
    mail { server { proxy_pass http://evil; } })");
  CHECK(lines(found) == Lines{"a:1 (a:1) http://a:1/", "c:1 (c:1) http://c:1/",
                              "c:2 (c:2) http://c:2/", "c:3 (c:3) http://c:3/",
                              "d:1 (d:1) http://d:1/", "e:1 (e:1) http://e:1/"});
  CHECK(found.notes.empty());
}

TEST_CASE("upstreams of one name and Host are one, under all their URIs") {
  const auto found = of(R"(http { upstream web { server a:1; server b:1; }
    server { server_name one.example; location /1 { proxy_pass http://web; }
      location /2 { proxy_pass http://web/; } location /3 { proxy_pass http://WEB/c; }
      location /4 { proxy_pass http://web/d?token=1; }
      location /5 { proxy_pass http://web/d?token=2; }
      location /6 { proxy_pass http://web; proxy_set_header Host $host; }
      location /7 { fastcgi_pass web; } location /8 { grpc_pass web; } }
    server { server_name two.example; proxy_set_header Host $host;
      location /1 { proxy_pass http://web; } location /2 { proxy_pass http://web/c; } } })");
  CHECK(lines(found) ==
        Lines{"web (web) http://a:1/", "web (web) http://b:1/", "web (web) http://a:1/c",
              "web (web) http://b:1/c", "web (web) http://a:1/d?token=1",
              "web (web) http://b:1/d?token=1", "web for one.example (one.example) http://a:1/",
              "web for one.example (one.example) http://b:1/", "web by tcp () tcp://a:1",
              "web by tcp () tcp://b:1", "web for two.example (two.example) http://a:1/",
              "web for two.example (two.example) http://b:1/",
              "web for two.example (two.example) http://a:1/c",
              "web for two.example (two.example) http://b:1/c"});
  CHECK(found.notes ==
        Lines{"nginx.conf:5: http://a:1/d is asked as nginx.conf:4 says, not as here",
              "nginx.conf:5: http://b:1/d is asked as nginx.conf:4 says, not as here"});
}

TEST_CASE("no two upstreams share a name") {
  const auto found = of(R"(stream { upstream a { server x:1; } server { proxy_pass a; } }
    http { upstream a { server x:2; } upstream "a by tcp" { server x:3; }
      server { location /1 { fastcgi_pass "a by tcp"; } location /2 { fastcgi_pass a; } } })");
  CHECK(lines(found) ==
        Lines{"a () tcp://x:1", "a by tcp () tcp://x:3", "a by tcp (2) () tcp://x:2"});
}

TEST_CASE("one target with two sets of TLS settings is noted") {
  const auto found = of(R"(http { server { location /1 { proxy_pass https://a; }
    location /2 { proxy_pass https://a; proxy_ssl_server_name on; }
    location /3 { proxy_pass https://a; } } })");
  CHECK(lines(found) == Lines{"a:443 (a) https://a:443/"});
  CHECK(found.notes ==
        Lines{"nginx.conf:2: https://a:443/ is asked as nginx.conf:1 says, not as here"});
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

TEST_CASE("a proxy_pass to more than an address can be is noted") {
  const std::string cut = std::string(93, 'a') + "... is too long to be an address";
  CHECK(targets_in_location("proxy_pass http://" + std::string(1100, 'a') + ";") ==
        Lines{"note nginx.conf:1: proxy_pass http://" + cut});
  CHECK(targets_in_location(
            "proxy_pass http://u;",
            "upstream u { server http://" + std::string(1100, 'a') + "; server b:1; }") ==
        Lines{"u (u) http://b:1/", "note nginx.conf:1: server http://" + cut});
}

TEST_CASE("many servers that are passed to many times are bounded in all") {
  std::string text = "http { upstream u {";
  for (int i = 0; i < 1000; ++i) text += "server 10.0.0.1:" + std::to_string(i + 1) + ";";
  text += "} server {";
  for (int i = 0; i < 300; ++i) text += "proxy_pass http://u/" + std::to_string(i) + ";";
  const auto found = of(text + "} }");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(found.upstreams[0].targets.size() == 20'000);
  CHECK(found.notes ==
        Lines{"nginx.conf:1: there are more targets than are probed; the rest is left out"});
}

TEST_CASE("one server is asked for so many names and paths, and no more") {
  std::string text = "http { upstream u { server a; server b; }";
  for (int i = 1; i <= 34; ++i) {
    const std::string name = std::to_string(i) + ".example";
    text += "\nserver { server_name " + name + "; proxy_set_header Host $host;";
    text += " location / { proxy_pass http://u; } }";
  }
  const auto found = of(text + "\nserver { location / { proxy_pass http://a/x; } } }");
  REQUIRE(found.upstreams.size() == 32);
  CHECK(found.upstreams[31].host == "32.example");
  CHECK(found.upstreams[31].targets.size() == 2);
  const std::string why = " is left out at servers that are asked for 32 names and paths already";
  CHECK(found.notes == Lines{"nginx.conf:34: proxy_pass http://u" + why,
                             "nginx.conf:35: proxy_pass http://u" + why,
                             "nginx.conf:36: proxy_pass http://a/x" + why});
}

TEST_CASE("servers that are asked enough already are not tried for ever") {
  std::string text = "http { upstream u {";
  for (int i = 0; i < 5'000; ++i) text += "server a;";
  text += "} server {";
  for (int i = 0; i < 5'000; ++i) text += "proxy_pass http://u/" + std::to_string(i) + ";";
  const auto found = of(text + "} }");
  REQUIRE(found.upstreams.size() == 1);
  CHECK(found.upstreams[0].targets.size() == 20);
  CHECK(found.notes ==
        Lines{"nginx.conf:1: there are more targets than are probed; the rest is left out"});
}

TEST_CASE("notes are bounded, and that is said") {
  std::string text = "http { server {";
  for (int i = 0; i < 150; ++i) text += "proxy_pass http://$x/" + std::to_string(i) + ";";
  const auto found = of(text + "} }");
  REQUIRE(found.notes.size() == 101);
  CHECK(
      found.notes.back() ==
      "nginx.conf:1: proxy_pass http://$x/100 holds a variable that is known at run time only (and "
      "there is more, which is left out)");
}

TEST_CASE("blocks without a directive in them are counted too") {
  std::string text;
  for (int i = 0; i < 200'001; ++i) text += "{}";
  const auto config = parse_nginx(text, "nginx.conf");
  CHECK(config.directives.size() == 200'000);
  CHECK(config.problems ==
        Lines{"nginx.conf:1: more directives than are read; the rest is left out"});
}

}  // namespace
}  // namespace ua
