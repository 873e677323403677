// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_scope.h"

#include "collectors/discovery/nginx_upstreams.h"
#include "tests/catch.h"

namespace ua {
namespace {

using Lines = std::vector<std::string>;

/// The targets' URLs, then the notes.
Lines found_in(const std::string& http) {
  const NginxUpstreams found = nginx_upstreams(parse_nginx("http { " + http + " }", "f"));
  Lines result;
  for (const DiscoveredUpstream& upstream : found.upstreams) {
    for (const DiscoveredTarget& target : upstream.targets) result.push_back(target.url);
  }
  result.insert(result.end(), found.notes.begin(), found.notes.end());
  return result;
}

// Each was put to nginx 1.22 in front of a server that says what it was asked.
TEST_CASE("what `set` gives a variable") {
  const std::pair<std::string, Lines> rows[] = {
      {"set $up a:1; location / { proxy_pass http://$up; }", {"http://a:1/"}},
      {"set $up a:1; location / { proxy_pass http://$UP/x; }", {"http://a:1/x"}},
      {"set $up a:1; set $lit $up/lit; location / { proxy_pass http://$lit; }", {"http://a:1/lit"}},
      {"location / { proxy_pass http://$up; set $up a:1; }", {"http://a:1/"}},
      {"set $h a; location / { proxy_pass http://${h}b:1; }", {"http://ab:1/"}},
      {"set $u unix:/a.sock; location / { proxy_pass http://$u:/zz; }",
       {"http+unix:///a.sock:/zz"}},
      {"set $n web; location / { proxy_pass http://$n; }", {"http://10.0.0.1:80/"}},
      {"set $a 1; location /x { set $a 2; proxy_pass http://b:$a; }"
       " location /y { proxy_pass http://b:$a; }",
       {"http://b:2/", "http://b:1/"}},
      {"location / { set $b a:1; if ($arg_x) { set $b a:2; } proxy_pass http://$b; }",
       {"http://a:1/", "http://a:2/"}},
      {"set $b a:1; if ($arg_x) { set $b a:2; } location / { proxy_pass http://$b; }",
       {"http://a:1/", "http://a:2/"}},
      {"set $b a:1; location / { if ($arg_x) { set $b a:2; proxy_pass http://$b; } }",
       {"http://a:2/"}},
      {"set $b a:1; location / { if ($arg_x) { set $b a:2; } set $b a:3; proxy_pass http://$b; }",
       {"http://a:3/"}},
      // The variables of an outer location are not set in an inner one, a server's are.
      {"location /o { set $b a:1; location /o/i { proxy_pass http://$b; } }",
       {"f:1: proxy_pass http://$b holds a variable that is known at run time only"}},
      {"set $b a:0; location /o { set $b a:1; location /o/i { proxy_pass http://$b; } }",
       {"http://a:0/"}},
      {"listen 80; listen 443 ssl; location / { proxy_pass $scheme://a; }",
       {"http://a:80/", "https://a:443/"}},
      {"listen 8443 ssl; location / { proxy_pass $scheme://a:$server_port; }", {"https://a:8443/"}},
  };
  for (const auto& [server, wanted] : rows) {
    CAPTURE(server);
    CHECK(found_in("upstream web { server 10.0.0.1; } server { " + server + " }") == wanted);
  }
}

TEST_CASE("map, geo and split_clients say what a variable can be") {
  CHECK(found_in("map $arg_v $b { hostnames; default http://a:1; b http://a:2; c http://a:1;"
                 " d ''; } server { location / { proxy_pass $b; } }") ==
        Lines{"http://a:1/", "http://a:2/"});
  CHECK(found_in("split_clients $remote_addr $v { 10% canary; * stable; }"
                 " upstream canary { server a:1; } upstream stable { server a:2; }"
                 " server { location / { proxy_pass http://$v/x; } }") ==
        Lines{"http://a:1/x", "http://a:2/x"});
  CHECK(found_in("geo $g { default a:1; 10.0.0.0/8 $arg_x; } geo $arg_a $h { default a:3; }"
                 " server { location / { proxy_pass http://$g; proxy_pass http://$h; } }") ==
        Lines{"http://a:1/", "http://a:3/",
              "f:1: proxy_pass http://$g holds a variable that is known at run time only"});
}

TEST_CASE("a geo block's own words are no values") {
  CHECK(found_in("geo $g { default a:1; proxy 192.0.2.1; delete 192.0.2.2; }"
                 " server { location / { proxy_pass http://$g; } }") == Lines{"http://a:1/"});
}

TEST_CASE("the port of a range is not known") {
  const auto port = [](const std::string& listen) {
    return found_in("server { listen " + listen +
                    "; location / { proxy_pass http://a:$server_port; } }");
  };
  const Lines unknown{
      "f:1: proxy_pass http://a:$server_port holds a variable that is known at run time only"};
  CHECK(port("10000-10010") == unknown);
  CHECK(port("127.0.0.1:10000-10010") == unknown);
  CHECK(port("[::1]:8080") == Lines{"http://a:8080/"});
  CHECK(port("[::1]") == Lines{"http://a:80/"});
  CHECK(port("localhost") == Lines{"http://a:80/"});
  CHECK(port("127.0.0.1") == Lines{"http://a:80/"});
}

TEST_CASE("names that only a resolver of nginx's own knows are noted") {
  const std::string why = " has a name that a resolver of nginx's own knows, which no probe asks";
  const auto found = [](const std::string& resolver, const std::string& pass) {
    return found_in("upstream web { server a; } server { " + resolver + " set $n x.consul;" +
                    " set $w web; set $i 10.0.0.1; location / { proxy_pass " + pass + "; } }");
  };
  const Lines left_out{"f:1: proxy_pass http://$n:80" + why};
  for (const std::string address :
       {"127.0.0.1:8600", "127.0.0.11", "[::1]:53", "localhost", "10.0.0.2 127.0.0.1 valid=5s"}) {
    CAPTURE(address);
    CHECK(found("resolver " + address + ";", "http://$n:80") == left_out);
  }
  for (const std::string resolver : {"", "resolver 10.0.0.2 valid=5s;", "resolver 127.0.0.53;"}) {
    CHECK(found(resolver, "http://$n:80") == Lines{"http://x.consul:80/"});
  }
  const std::string own = "resolver 127.0.0.1;";
  CHECK(found(own, "http://$w") == Lines{"http://a:80/"});
  CHECK(found(own, "http://$i") == Lines{"http://10.0.0.1:80/"});
  CHECK(found(own, "http://x.consul/$1") == Lines{"f:1: proxy_pass http://x.consul/$1" + why});
  CHECK(found(own, "http://x.consul") == Lines{"http://x.consul:80/"});
  const std::string upstream = " server a resolve; server 10.0.0.1 resolve; server b; } ";
  const std::string server = " server { location / { proxy_pass http://u; } }";
  const Lines wanted{"http://10.0.0.1:80/", "http://b:80/", "f:1: server a" + why};
  CHECK(found_in("resolver 127.0.0.1; upstream u {" + upstream + server) == wanted);
  CHECK(found_in("upstream u { resolver 127.0.0.1;" + upstream + server) == wanted);
}

TEST_CASE("a URI is asked as far as it is known") {
  const std::pair<std::string, std::string> rows[] = {
      {"http://a/$1", "http://a:80/"},
      {"http://a/api/v1/$1", "http://a:80/api/v1/"},
      {"http://a/api/x$1y/z?b=c", "http://a:80/api/"},
      {"http://a/api?key=1$arg_x", "http://a:80/api"},
      {"http://a$request_uri", "http://a:80/"},
      {"http://a/x$is_args$args", "http://a:80/x"},
      {"http://unix:/run/a.sock:/x/$1", "http+unix:///run/a.sock:/x/"},
  };
  for (const auto& [address, wanted] : rows) {
    CAPTURE(address);
    CHECK(found_in("server { location / { proxy_pass " + address + "; } }") == Lines{wanted});
  }
}

TEST_CASE("an address that is known at run time only is noted") {
  for (const std::string address : {"http://$arg_x", "$backend", "http://a:$p", "http://$1/x"}) {
    CHECK(found_in("server { location / { proxy_pass " + address + "; } }") ==
          Lines{"f:1: proxy_pass " + address + " holds a variable that is known at run time only"});
  }
}

TEST_CASE("variables that hold themselves or too much come to an end") {
  CHECK(found_in("server { set $a $a$a; proxy_pass http://$a; }") ==
        Lines{"f:1: proxy_pass http://$a can be more than is known here"});
  std::string many = "map $x $b {";
  for (int i = 0; i < 100; ++i) many += " k a:" + std::to_string(i + 1) + ";";
  const Lines found = found_in(many + "} server { proxy_pass http://$b; }");
  REQUIRE(found.size() == 17);
  CHECK(found.back() == "f:1: proxy_pass http://$b can be more than is known here");
}

TEST_CASE("a text is expanded for all values, in their order and each once") {
  const auto lookup = [](std::string_view name) -> std::optional<NginxValues> {
    if (name == "a") return NginxValues{{"1", "2", "1"}, false};
    if (name == "b") return NginxValues{{"$a"}, true};
    return std::nullopt;
  };
  CHECK(expand_nginx("x", lookup).known == Lines{"x"});
  CHECK(expand_nginx("$a$A", lookup).known == Lines{"11", "12", "21", "22"});
  CHECK(expand_nginx("$b", lookup).known == Lines{"1", "2"});
  CHECK(expand_nginx("$b", lookup).more);
  CHECK(expand_nginx("$1a${a}b$", lookup).known == Lines{"\x01"
                                                         "a1b\x01",
                                                         "\x01"
                                                         "a2b\x01"});
  CHECK(expand_nginx("", lookup).known == Lines{""});
}

}  // namespace
}  // namespace ua
