// SPDX-License-Identifier: Apache-2.0
#include "agent/diagnosis/first_check.h"

#include "collectors/probes/http/http_options.h"
#include "collectors/probes/tls/client_identity.h"
#include "collectors/probes/tls/tls_options.h"
#include "tests/catch.h"

namespace ua {
namespace {

std::string fill(ErrorClass error_class, std::string_view url, std::string_view service = "") {
  return fill_command(info(error_class), parse_target(url).value(), service);
}

TEST_CASE("the command carries the target's own host, port and service") {
  CHECK(fill(ErrorClass::connect_refused, "http://app.example:8080/", "checkout.service") ==
        "systemctl status checkout.service; ss -ltnp 'sport = :8080'");
  CHECK(fill(ErrorClass::connect_refused, "tcp://127.0.0.1:5432") ==
        "systemctl status YOUR-SERVICE; ss -ltnp 'sport = :5432'");
  CHECK(fill(ErrorClass::http_503, "https://app.example/health?token=secret") ==
        "curl -si https://app.example/health | head -20");
}

TEST_CASE("an IPv6 address is in brackets where a port follows, and bare elsewhere") {
  CHECK(fill(ErrorClass::unreachable, "http://[2001:db8::1]:80/") ==
        "ip route get 2001:db8::1; ip neigh show 2001:db8::1");
  CHECK(fill(ErrorClass::tls_timeout, "https://[2001:db8::1]/") ==
        "openssl s_client -connect '[2001:db8::1]:443' -servername 2001:db8::1 </dev/null");
}

TEST_CASE("what wants an address gets the one that was tried, TLS the name that was asked for") {
  const Target target = parse_target("https://app.example:8443/x").value();
  Outcome outcome;
  outcome.address = "[2001:db8::1]:8443";
  outcome.server_name = "shop.example";
  CHECK(fill_command(info(ErrorClass::unreachable), target, "", outcome) ==
        "ip route get 2001:db8::1; ip neigh show 2001:db8::1");
  CHECK(fill_command(info(ErrorClass::tls_timeout), target, "", outcome) ==
        "openssl s_client -connect app.example:8443 -servername shop.example </dev/null");
  outcome.redirected_to = "http://next.example:81/y";
  CHECK(fill_command(info(ErrorClass::connect_refused), target, "", outcome) ==
        "systemctl status YOUR-SERVICE; ss -ltnp 'sport = :81'");
  CHECK(fill_command(info(ErrorClass::unreachable), target, "", outcome) ==
        "ip route get next.example; ip neigh show next.example");
}

TEST_CASE("a proxy that failed is what the commands are about") {
  const Target target = parse_target("https://app.example:8443/x").value();
  Outcome outcome;
  outcome.address = "192.0.2.7:3128";
  outcome.proxy = "http://proxy.example:3128";
  CHECK(fill_command(info(ErrorClass::tls_timeout), target, "", outcome) ==
        "openssl s_client -proxy proxy.example:3128 -connect app.example:8443 -servername "
        "app.example </dev/null");
  outcome.proxy_failed = true;
  CHECK(fill_command(info(ErrorClass::connect_refused), target, "", outcome) ==
        "systemctl status YOUR-SERVICE; ss -ltnp 'sport = :3128'");
  CHECK(fill_command(info(ErrorClass::unreachable), target, "", outcome) ==
        "ip route get 192.0.2.7; ip neigh show 192.0.2.7");
}

TEST_CASE("commands that connect go the way that the probe went") {
  const Target target = parse_target("https://app.example:8443/x").value();
  Outcome outcome;
  outcome.address = "192.0.2.7:3128";
  outcome.proxy = "http://proxy.example:3128";
  const auto filled = [&](ErrorClass error, const SocketOptions& socket) {
    return fill_command(info(error), target, "", outcome, {&socket});
  };
  CHECK(filled(ErrorClass::http_503, {}) ==
        "curl -x http://proxy.example:3128 -si https://app.example:8443/x | head -20");
  outcome.proxy_failed = true;
  CHECK(filled(ErrorClass::headers_too_large, {}) ==
        "curl -s -o /dev/null -D - http://proxy.example:3128 | wc -c");

  outcome.proxy.clear();
  outcome.proxy_failed = false;
  SocketOptions socket;
  socket.interface = "eth 0";
  socket.proxy_protocol = true;
  CHECK(filled(ErrorClass::http_503, socket) ==
        "curl --interface 'eth 0' --haproxy-protocol -si https://app.example:8443/x | head -20");
  CHECK(filled(ErrorClass::request_unacked, socket) ==
        "ping -I 'eth 0' -M do -s 1472 -c 3 app.example; conntrack -L -d 192.0.2.7");
  socket.source = ip_endpoint("2001:db8::9", 0);
  CHECK(filled(ErrorClass::http_503, socket) ==
        "curl --interface 2001:db8::9 --haproxy-protocol -si https://app.example:8443/x | head "
        "-20");
  CHECK(filled(ErrorClass::tls_timeout, socket) ==
        "openssl s_client -bind '[2001:db8::9]:0' -connect app.example:8443 -servername "
        "app.example </dev/null");
  CHECK(filled(ErrorClass::connect_timeout, socket) ==
        "ip route get 192.0.2.7 from 2001:db8::9 oif 'eth 0'; traceroute -s 2001:db8::9 -i 'eth "
        "0' -T -p 8443 app.example; nft list ruleset | grep -n drop");
}

TEST_CASE("commands ask as the probe asked, but another origin gets nothing that is ours") {
  const Target target = parse_target("https://app.example:8443/x").value();
  HttpOptions http;
  http.host = "shop.example";
  http.method = "POST";
  http.version = HttpVersion::v1_0;
  http.headers = {{"X-Token", "secret"}};
  TlsOptions tls;
  tls.ca_file = "/etc/our app/ca.pem";
  tls.identity = std::make_shared<ClientIdentity>("/etc/c.pem", "/etc/c.key", ClientPem{});
  ToolFlags flags = tool_flags(http, tls);
  Outcome outcome;
  const auto filled = [&](ErrorClass error) {
    return fill_command(info(error), target, "", outcome, {nullptr, &flags});
  };
  CHECK(filled(ErrorClass::http_503) ==
        "curl --cacert '/etc/our app/ca.pem' --cert /etc/c.pem --key /etc/c.key --http1.0 -X POST "
        "-H 'Host: shop.example' -si https://app.example:8443/x | head -20");
  CHECK(filled(ErrorClass::tls_timeout) ==
        "openssl s_client -CAfile '/etc/our app/ca.pem' -cert /etc/c.pem -key /etc/c.key -connect "
        "app.example:8443 -servername app.example </dev/null");
  outcome.redirected_to = "https://other.example/";
  CHECK(filled(ErrorClass::http_503) == "curl -si https://other.example/ | head -20");

  http = {};
  http.method = "HEAD";
  tls = {};
  tls.insecure_skip_verify = true;
  outcome = {};
  flags = tool_flags(http, tls);
  CHECK(filled(ErrorClass::http_503) == "curl -k -I -si https://app.example:8443/x | head -20");
  flags = tool_flags(HttpOptions(), TlsOptions());
  CHECK(filled(ErrorClass::http_503) == "curl -si https://app.example:8443/x | head -20");
}

TEST_CASE("a Unix socket gets the commands for Unix sockets") {
  CHECK(fill(ErrorClass::connect_refused, "http+unix:///run/app.sock:/") ==
        "systemctl status YOUR-SERVICE; ss -lxp src /run/app.sock");
  CHECK(fill(ErrorClass::permission_denied, "tcp+unix:///run/app.sock") ==
        "ls -l /run/app.sock; nft list ruleset | grep -i output");
  CHECK(fill(ErrorClass::http_5xx, "http+unix:///run/app.sock:/x", "app") ==
        "journalctl -u app -n 50");
  CHECK(fill(ErrorClass::http_503, "http+unix:///run/app.sock:/health?token=secret") ==
        "curl -si --unix-socket /run/app.sock http://localhost/health | head -20");
  CHECK(fill(ErrorClass::protocol_mismatch, "http+unix:///run/app.sock:/") ==
        "curl -sv --unix-socket /run/app.sock http://localhost/ -o /dev/null; "
        "curl -skv --unix-socket /run/app.sock https://localhost/ -o /dev/null");
  CHECK(fill(ErrorClass::unknown, "http+unix:///run/app.sock:/x") ==
        "upstream-agent probe http+unix:///run/app.sock:/x");
}

TEST_CASE("what curl cannot ask is asked by the agent itself, once") {
  CHECK(fill(ErrorClass::http_503, "fastcgi://192.0.2.1:9000/ping") ==
        "upstream-agent probe -v fastcgi://192.0.2.1:9000/ping");
  CHECK(fill(ErrorClass::protocol_mismatch, "fastcgi+unix:///run/fpm.sock:/ping") ==
        "upstream-agent probe -v fastcgi+unix:///run/fpm.sock:/ping");
  const Target target = parse_target("tcp://192.0.2.1:6379").value();
  CHECK(fill_command(info(ErrorClass::content_mismatch), target, "", {},
                     {nullptr, nullptr, "the cache"}) == "upstream-agent probe -v 'the cache'");
}

TEST_CASE("a network target gets no command about a socket's file") {
  CHECK(fill(ErrorClass::permission_denied, "tcp://192.0.2.1:80") ==
        "ip route get 192.0.2.1; nft list ruleset | grep -i output");
}

TEST_CASE("no value becomes shell syntax or another placeholder") {
  // parse_target() lets no such host pass; this is the second line of defence.
  Target target;
  target.scheme = "http";
  target.host = "a;reboot";
  CHECK(fill_command(info(ErrorClass::dns_not_found), target, "") ==
        "dig +search 'a;reboot' A; dig +search 'a;reboot' AAAA");
  target.host = "{service}";
  CHECK(fill_command(info(ErrorClass::dns_timeout), target, "$(id)") ==
        "cat /etc/resolv.conf; dig +search '{service}' +tries=1 +time=2");
  CHECK(fill(ErrorClass::http_5xx, "http://a/", "x'; reboot; '") ==
        R"(journalctl -u 'x'\''; reboot; '\''' -n 50)");
  CHECK(fill(ErrorClass::permission_denied, "tcp+unix:///run/$(id).sock") ==
        "ls -l '/run/$(id).sock'; nft list ruleset | grep -i output");
}

TEST_CASE("no class leaves a placeholder in its command, whatever the target") {
  for (const ErrorClassInfo& row : catalogue()) {
    for (const std::string_view url :
         {"http://app.example:80/", "https://[::1]/", "http+unix:///run/app.sock:/", "tcp://a:1"}) {
      const std::string command = fill_command(row, parse_target(url).value(), "app.service");
      INFO(row.name << ' ' << url << ": " << command);
      CHECK(command.find('{') == std::string::npos);
      CHECK_FALSE(command.empty());
    }
  }
}

}  // namespace
}  // namespace ua
