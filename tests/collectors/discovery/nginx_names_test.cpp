// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_names.h"

#include "collectors/discovery/nginx_upstreams.h"
#include "tests/catch.h"

namespace ua {
namespace {

using Lines = std::vector<std::string>;

/// The Host header of the one upstream, then the notes.
Lines host_of(const std::string& server, const std::string& location = "proxy_pass http://web;") {
  const NginxUpstreams found =
      nginx_upstreams(parse_nginx("http { upstream web { server 10.0.0.1; } server { " + server +
                                      " location / { " + location + " } } }",
                                  "f"));
  REQUIRE(found.upstreams.size() == 1);
  Lines result{found.upstreams[0].host};
  result.insert(result.end(), found.notes.begin(), found.notes.end());
  return result;
}

Lines sent(const std::string& host, const std::string& server,
           const std::string& pass = "http://web") {
  return host_of(server, "proxy_set_header Host " + host + "; proxy_pass " + pass + ";");
}

// Each was put to nginx 1.22 in front of a server that says what it was asked.
TEST_CASE("the Host header that a location sends") {
  const std::string shop = "listen 9000; server_name shop.example www.shop.example;";
  struct Row {
    std::string value, server, pass, wanted;
  };
  const Row rows[] = {
      {"$host", shop, "http://web", "shop.example"},
      {"${HOST}", shop, "http://web", "shop.example"},
      {"${host}x", shop, "http://web", "shop.examplex"},
      {"$http_host", shop, "http://web", "shop.example:9000"},
      {"$host:$server_port", shop, "http://web", "shop.example:9000"},
      {"$server_name", shop, "http://web", "shop.example"},
      {"fixed.example:81", shop, "http://web", "fixed.example:81"},
      {"$proxy_host", shop, "http://WEB", "WEB"},
      {"$proxy_host:$proxy_port", shop, "http://web", "web:80"},
      {"$proxy_host:$proxy_port", shop, "https://web", "web:443"},
      {"$proxy_host:$proxy_port", shop, "http://10.0.0.1", "10.0.0.1:80"},
      {"$proxy_host:$proxy_port", shop, "http://10.0.0.1:8080", "10.0.0.1:8080:8080"},
      {"$host", shop, "http://unix:/run/a.sock", "shop.example"},
      {"$h", shop + "set $h $host.local;", "http://web", "shop.example.local"},
      {"$host", "server_name UPPER.Example '';", "http://web", "upper.example"},
      {"$server_name", "server_name UPPER.Example '';", "http://web", "upper.example"},
      {"$host", "server_name .dot.example;", "http://web", "dot.example"},
      {"$server_name", "server_name .dot.example;", "http://web", "dot.example"},
      {"$host", "server_name *.wild.example plain.example;", "http://web", "plain.example"},
      {"$server_name", "server_name *.wild.example plain.example;", "http://web", "*.wild.example"},
      {"$http_host", "listen 80; server_name a.example;", "http://web", "a.example"},
      {"$http_host", "listen [::]:443 ssl; server_name a.example;", "http://web", "a.example"},
      {"$http_host", "listen *:443; server_name a.example;", "http://web", "a.example:443"},
      {"$host:$server_port", "listen 127.0.0.1; listen 81; server_name a.example;", "http://web",
       "a.example:80"},
      {"$host:$server_port", "server_name a.example;", "http://web", "a.example:80"},
      {"$scheme.$host", "listen 443 ssl; server_name a.example;", "http://web", "https.a.example"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value, row.server, row.pass);
    CHECK(sent(row.value, row.server, row.pass) == Lines{row.wanted});
  }
}

TEST_CASE("a server without a name answers to any; the default stands for it") {
  CHECK(sent("$host", "") == Lines{"web"});
  CHECK(sent("$host", "server_name _;") == Lines{"web"});
  CHECK(sent("$host", "server_name ~^(.+)$ *.example;") == Lines{"web"});
  CHECK(sent("$host", "", "http://10.0.0.1:8080") == Lines{"10.0.0.1"});
  CHECK(sent("$host", "", "http://[::1]:8080") == Lines{"[::1]"});
  CHECK(sent("$host", "", "http://unix:/run/a.sock") == Lines{"localhost"});
  CHECK(sent("$host:$server_port", "listen 81;", "http://unix:/run/a.sock") ==
        Lines{"localhost:81"});
}

TEST_CASE("a Host that cannot be told leaves a note") {
  CHECK(sent("$cookie_x", "") ==
        Lines{"web",
              "f:1: proxy_pass http://web '$cookie_x' is known at run time only; web is "
              "sent"});
  CHECK(sent("''", "") == Lines{"web",
                                "f:1: proxy_pass http://web nginx sends no Host; web is "
                                "sent"});
  CHECK(sent("\"a\\r\\nX: y\"", "") ==
        Lines{"web", "f:1: proxy_pass http://web 'a\\x0d\\x0aX: y' is no host name; web is sent"});
  CHECK(sent("$server_name", "server_name ~^(.+)$;")[0] == "web");
}

TEST_CASE("a Host that a map gives") {
  const auto mapped = [](const std::string& map, const std::string& server) {
    const auto found = nginx_upstreams(parse_nginx(
        "http { upstream web { server a; } " + map + " server { proxy_set_header Host $h; " +
            server + " location / { proxy_pass http://web; } } }",
        "f"));
    REQUIRE(found.upstreams.size() == 1);
    Lines result{found.upstreams[0].host};
    result.insert(result.end(), found.notes.begin(), found.notes.end());
    return result;
  };
  const std::string map = "map $host $h { a.example x.example; default $host; }";
  CHECK(mapped(map, "server_name a.example;") == Lines{"x.example"});
  CHECK(mapped(map, "server_name b.example;") == Lines{"b.example"});
  CHECK(mapped("map $http_host $h { '' y; default $http_host; }",
               "listen 81; server_name a.example;") == Lines{"a.example:81"});
  CHECK(mapped("map $host $g { default x; } map $g $h { default $g.example; }", "") ==
        Lines{"x.example"});
  CHECK(mapped("map $cookie_x $h { b b.example; default a.example; }", "") ==
        Lines{"a.example",
              "f:1: proxy_pass http://web '$h' may be another name too; a.example is sent"});
  CHECK(mapped("map $host $h { ~b b.example; default a.example; }", "server_name b;") ==
        Lines{"a.example",
              "f:1: proxy_pass http://web '$h' may be another name too; a.example is sent"});
  // What is set at once hides the map.
  CHECK(mapped(map, "server_name a.example; set $h z.example;") == Lines{"z.example"});
}

TEST_CASE("a header of its own replaces all that a block inherits") {
  const std::string server = "server_name a.example; proxy_set_header Host outer;";
  CHECK(host_of(server) == Lines{"outer"});
  CHECK(host_of(server, "proxy_set_header X-A b; proxy_pass http://web;") == Lines{"web"});
  CHECK(host_of(server, "proxy_pass http://web; proxy_set_header hOsT $host;") ==
        Lines{"a.example"});
  CHECK(host_of(server, "if ($arg_x) { proxy_pass http://web; }") == Lines{"outer"});
}

/// "SNI" or "SNI verified by CA", then the notes.
Lines server_name_of(const std::string& directives, const std::string& pass = "https://web") {
  NginxConfig config = parse_nginx(
      "http { upstream web { server 10.0.0.1; } server { server_name a.example;"
      "location / { proxy_pass " +
          pass + "; " + directives + " } } }",
      "f");
  config.root = "/etc/nginx";
  const NginxUpstreams found = nginx_upstreams(config);
  REQUIRE(found.upstreams.size() == 1);
  const DiscoveredTarget& target = found.upstreams[0].targets.at(0);
  Lines result{target.server_name + (target.verify ? " verified by " + target.ca_file : "")};
  result.insert(result.end(), found.notes.begin(), found.notes.end());
  return result;
}

// Each was put to nginx 1.22 in front of a TLS server that says which name it was asked for.
TEST_CASE("the server name that TLS asks for") {
  const std::string on = "proxy_ssl_server_name on; ";
  CHECK(server_name_of("") == Lines{""});
  CHECK(server_name_of("proxy_ssl_name b.example;") == Lines{""});
  CHECK(server_name_of("proxy_set_header Host $host;", "https://b.example") == Lines{""});
  CHECK(server_name_of(on) == Lines{"web"});
  CHECK(server_name_of(on, "https://WEB") == Lines{"web"});
  CHECK(server_name_of(on, "https://b.example:444") == Lines{"b.example"});
  CHECK(server_name_of(on, "https://10.0.0.1") == Lines{""});
  CHECK(server_name_of(on, "https://[::1]:443") == Lines{""});
  CHECK(server_name_of(on + "proxy_ssl_name $host;") == Lines{"a.example"});
  CHECK(server_name_of(on + "proxy_ssl_name $host:$server_port;") == Lines{"a.example"});
  CHECK(server_name_of(on + "proxy_ssl_name b.example:77;") == Lines{"b.example"});
  CHECK(server_name_of(on + "proxy_ssl_name $proxy_host;") == Lines{"web"});
  CHECK(server_name_of(on + "proxy_ssl_name '';") == Lines{""});
  CHECK(server_name_of(on + "proxy_set_header Host $host;") == Lines{"web"});
  CHECK(server_name_of(on + "set $n b.example; if ($arg_x) { set $n c.example; } "
                            "proxy_ssl_name $n;") ==
        Lines{"b.example",
              "f:1: proxy_pass https://web the server name '$n' may be another name too; b.example "
              "is sent"});
  CHECK(server_name_of(on + "proxy_ssl_name $cookie_x;") ==
        Lines{"",
              "f:1: proxy_pass https://web the server name '$cookie_x' is known at run time "
              "only; none is sent"});
}

TEST_CASE("a certificate is verified where nginx does it, by the authority that it trusts") {
  const std::string on = "proxy_ssl_verify on; proxy_ssl_trusted_certificate ";
  CHECK(server_name_of(on + "ca.pem; proxy_ssl_server_name on;") ==
        Lines{"web verified by /etc/nginx/ca.pem"});
  CHECK(server_name_of(on + "/x/ca.pem; proxy_ssl_server_name on; proxy_ssl_name b.example;") ==
        Lines{"b.example verified by /x/ca.pem"});
  CHECK(server_name_of(on + "ca.pem;", "https://10.0.0.1") ==
        Lines{"10.0.0.1 verified by /etc/nginx/ca.pem"});
  CHECK(server_name_of(on + "ca.pem;") ==
        Lines{"web verified by /etc/nginx/ca.pem",
              "f:1: proxy_pass https://web the server name web is verified, and is sent, which "
              "nginx does not"});
  CHECK(server_name_of(on + "ca.pem; proxy_ssl_name $cookie_x;") ==
        Lines{"",
              "f:1: proxy_pass https://web the server name '$cookie_x' is known at run time "
              "only; nothing is verified"});
}

}  // namespace
}  // namespace ua
