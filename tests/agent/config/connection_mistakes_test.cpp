// SPDX-License-Identifier: Apache-2.0
// What is wrong in the options of connections and of tcp probes, word by word.
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "collectors/probes/net/socket_options.h"
#include "collectors/probes/probe_types.h"
#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

std::string mistakes(const std::string& target, const std::string& lines) {
  const auto config = read_config({ConfigText{
      "a.toml", "[[upstream]]\nname = \"a\"\ntargets = [\"" + target + "\"]\n" + lines}});
  std::string result;
  if (config) return result;
  for (const Diagnostic& diagnostic : config.error()) {
    result += (result.empty() ? "" : "\n") + diagnostic.text();
  }
  return result;
}

struct Row {
  std::string target;
  std::string lines;
  std::string message;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.target << " " << row.lines);
    CHECK(mistakes(row.target, row.lines) == row.message);
  }
}

std::string many_patterns() {
  std::string list;
  for (int i = 0; i < 17; ++i) list += "\"a\", ";
  return list;
}

TEST_CASE("where a connection comes from") {
  check({
      {"http://a/", "source_address = \"192.0.2.1\"", ""},
      {"http://a/", "source_address = \"fe80::1%eth0\"", ""},
      {"http://a/", "source_address = \"host\"",
       "a.toml:4:18: upstream.source_address: write an IP address of this host, as in "
       "\"192.0.2.10\""},
      {"http://a/", "source_address = \"fe80::1\"",
       "a.toml:4:18: upstream.source_address: a link-local address needs its interface, as in "
       "fe80::1%eth0"},
      {"http://[::1]/", "source_address = \"192.0.2.1\"",
       "a.toml:3:12: upstream.targets: 'http://[::1]/': an IPv6 address, but source_address is an "
       "IPv4 one"},
      {"http://127.0.0.1/", "source_address = \"::1\"",
       "a.toml:3:12: upstream.targets: 'http://127.0.0.1/': an IPv4 address, but source_address "
       "is an IPv6 one"},
      {"http://a/", "source_address = \"::1\"\nip_protocol = \"4\"",
       "a.toml:4:18: upstream.source_address: an IPv6 address, but ip_protocol is \"4\""},
      {"tcp+unix:///a", "source_address = \"192.0.2.1\"",
       "a.toml:3:12: upstream.targets: 'tcp+unix:///a': a Unix socket knows no source_address"},
      {"http://a/", "interface = \"eth0\"", ""},
      {"http://a/", "interface = \"\"",
       "a.toml:4:13: upstream.interface: '' is no name of a network interface"},
      {"http://a/", "interface = \"a/b\"",
       "a.toml:4:13: upstream.interface: 'a/b' is no name of a network interface"},
      {"http://a/", "interface = \"sixteen-letters-\"",
       "a.toml:4:13: upstream.interface: 'sixteen-letters-' is no name of a network interface"},
      {"tcp+unix:///a", "interface = \"eth0\"",
       "a.toml:3:12: upstream.targets: 'tcp+unix:///a': a Unix socket knows no interface"},
  });
}

TEST_CASE("behind a forward proxy it is the proxy that is connected to") {
  const auto through = [](const std::string& proxy) {
    return "[upstream.http]\nproxy_url = \"http://" + proxy + "\"\n";
  };
  const std::string source = "source_address = \"192.0.2.1\"\n";
  check({
      {"https://[::1]/", source + through("p:1"), ""},
      {"https://[::1]/", "ip_protocol = \"4\"\n" + through("192.0.2.7:1"), ""},
      {"https://a/", source + through("[2001:db8::1]:1"),
       "a.toml:3:12: upstream.targets: 'https://a/': its http.proxy_url is an IPv6 address, but "
       "source_address is an IPv4 one"},
      {"https://a/", "ip_protocol = \"6\"\n" + through("192.0.2.7:1"),
       "a.toml:3:12: upstream.targets: 'https://a/': its http.proxy_url is an IPv4 address, but "
       "ip_protocol is \"6\""},
      {"http://a/", through("p:1") + "host = \"b\"\n",
       "a.toml:3:12: upstream.targets: 'http://a/': a proxy puts the target's host in the place of "
       "http.host; leave it or http.proxy_url out"},
      {"https://a/", through("p:1") + "host = \"b\"\n", ""},
      {"https://a/", through("me:CANARY@p:1"),
       "a.toml:5:13: upstream.http.proxy_url: write a proxy's URL, as in "
       "http://proxy.example:3128; credentials belong into http.proxy_basic_auth, with a password "
       "file"},
      {"https://a/", through(""),
       "a.toml:5:13: upstream.http.proxy_url: write a proxy's URL, as in "
       "http://proxy.example:3128: the host is missing"},
  });
}

TEST_CASE("a table of TLS options where nothing speaks TLS") {
  const std::string tls = "[upstream.tls]\ninsecure_skip_verify = true\n";
  const std::string message = "a.toml:4:1: upstream.tls: does not apply to any of the targets";
  check({
      {"https://a/", tls, ""},
      {"http://a/\", \"https://a/", tls, ""},
      {"http://a/", tls, message},
      {"http+unix:///a", tls, message},
      {"http://a/", tls + "[upstream.http]\nfollow_redirects = true\n", ""},
      {"http://a/\", \"htps://a/", tls,
       "a.toml:3:25: upstream.targets: no probe for 'htps://'; there are " + known_schemes()},
  });
}

TEST_CASE("a Host header that no server would take") {
  for (const char* host : {"a", "a.example:8080", "192.0.2.1", "[2001:db8::1]:80", "a_b"}) {
    CHECK(mistakes("http://a/", "[upstream.http]\nhost = \"" + std::string(host) + '"').empty());
  }
  for (const char* host : {"", ":", "a:b", "a:", "::1", "[::1", "a..b", "-a", "a/", "a?", "a#",
                           "u@a", "[fe80::1%eth0]", "a b", "a:99999"}) {
    INFO(host);
    CHECK(mistakes("http://a/", "[upstream.http]\nhost = \"" + std::string(host) + '"') ==
          "a.toml:5:8: upstream.http.host: write a host name, with a port where it is not the "
          "usual one");
  }
}

TEST_CASE("an Authorization header beside what makes one") {
  const Directory directory;
  const auto file = directory.write("token", "t0ken\n");
  const auto odd = directory.write("odd", "t0\x01ken");
  const std::string header = "headers = { authorization = \"Basic CANARY\" }\n";
  check({
      {"http://a/", "[upstream.http]\n" + header, ""},
      {"http://a/", "[upstream.http]\n" + header + "bearer_token_file = \"" + file + "\"\n",
       "a.toml:5:11: upstream.http.headers: 'Authorization' is set by bearer_token_file"},
      {"http://a/",
       "[upstream.http]\n" + header + "basic_auth = { username = \"u\", password_file = \"" + file +
           "\" }\n",
       "a.toml:5:11: upstream.http.headers: 'Authorization' is set by basic_auth"},
      {"http://a/", "[upstream.http]\nbearer_token_file = \"" + odd + "\"\n",
       "a.toml:5:21: upstream.http.bearer_token_file: the token has control characters"},
  });
}

TEST_CASE("versions of HTTP as others write them") {
  const auto version = [](const std::string& text) {
    return mistakes("https://a/", "[upstream.http]\nversion = \"" + text + "\"\n");
  };
  const std::string at = "a.toml:5:11: upstream.http.version: ";
  CHECK(version("h2") == at + "'h2' is written \"2\"");
  CHECK(version("HTTP/2") == at + "'HTTP/2' is written \"2\"");
  CHECK(version("h2c") == at + "'h2c' is written \"2-prior\"");
  CHECK(version("HTTP/1.1") == at + "'HTTP/1.1' is written \"1.1\"");
  CHECK(version("3") == at + "'3' is not one of auto, 1.0, 1.1, 2, 2-prior; did you mean '2'?");
}

TEST_CASE("how a connection is marked") {
  const std::string advice =
      "a.toml:4:8: upstream.dscp: write a number from 0 to 63, or a name such as \"ef\", \"af21\", "
      "\"cs1\"";
  check({
      {"http://a/", "dscp = 0", ""},
      {"http://a/", "dscp = 63", ""},
      {"http://a/", "dscp = \"ef\"", ""},
      {"http://a/", "dscp = 64", advice},
      {"http://a/", "dscp = -1", advice},
      {"http://a/", "dscp = 4.0", advice},
      {"http://a/", "dscp = \"best\"", advice},
      {"tcp+unix:///a", "dscp = 0",
       "a.toml:3:12: upstream.targets: 'tcp+unix:///a': a Unix socket knows no dscp"},
      {"tcp+unix:///a", "proxy_protocol = \"v1\"", ""},
      {"http://a/", "proxy_protocol = \"v2\"",
       "a.toml:4:18: upstream.proxy_protocol: 'v2' is not one of v1; did you mean 'v1'?"},
      {"http://a/", "proxy_protocol = true",
       "a.toml:4:18: upstream.proxy_protocol: expected a text in quotes, found a boolean"},
  });
}

TEST_CASE("what is asked of a FastCGI application") {
  const std::string table = "[upstream.fastcgi]\n";
  const std::string url = "fastcgi://a/ping";
  check({
      {url, table + "script_filename = \"/a.php\"\nmethod = \"POST\"\nparams = { A_1 = \"b\" }",
       ""},
      {"fastcgi+unix:///run/a.sock", table + "expect_body = \"^pong$\"", ""},
      {url, table + "script_filename = \"a.php\"",
       "a.toml:5:19: upstream.fastcgi.script_filename: is no absolute path, as in "
       "/var/www/app/public/index.php"},
      {url, table + "method = \"get\"",
       "a.toml:5:10: upstream.fastcgi.method: 'get' is no method of HTTP in upper case, as in GET"},
      {url, table + "method = \"\"",
       "a.toml:5:10: upstream.fastcgi.method: '' is no method of HTTP in upper case, as in GET"},
      {url, table + "params = { \"A B\" = \"c\" }",
       "a.toml:5:20: upstream.fastcgi.params: 'A B' is no name of a parameter: letters, digits and "
       "'_'"},
      {url, table + "params = { A = \"\\u0000\" }",
       "a.toml:5:16: upstream.fastcgi.params: the value of 'A' has a NUL byte"},
      {url, table + "params = { A = \"" + std::string(65536, 'x') + "\" }",
       "a.toml:5:10: upstream.fastcgi.params: are longer than 64 KiB"},
      {url, table + "expect_body = \"(\"",
       "a.toml:5:15: upstream.fastcgi.expect_body: not a regular expression (RE2): missing ): ("},
      {url, table + "max_body = \"2MiB\"",
       "a.toml:5:12: upstream.fastcgi.max_body: 2097152 bytes is more than limits.max_body, "
       "1048576"},
      {url, table + "script = \"/a\"", "a.toml:5:1: unknown key 'upstream.fastcgi.script'"},
      {"tcp://a:1", table, "a.toml:4:1: upstream.fastcgi: does not apply to any of the targets"},
  });
}

TEST_CASE("what is asked of a name server") {
  const std::string table = "[upstream.dns]\n";
  const std::string url = "dns://a/b.test";
  const std::string target = "a.toml:3:12: upstream.targets: 'dns://a/b.test': ";
  check({
      {url, "", ""},
      {url + "?type=aaaa&transport=tcp",
       table + "query = \"B.test.\"\ntype = \"AAAA\"\ntransport = \"tcp\"\n"
               "expect_rcode = [\"NXDOMAIN\"]\nexpect_answers = [\"a\"]\nreject_answers = \"b\"",
       ""},
      {"dns://a", table + "query = \".\"\nrecursion_desired = false", ""},
      {"dns://a", "",
       "a.toml:3:12: upstream.targets: 'dns://a': the name to ask for is missing: "
       "dns://server/example.org, or dns.query"},
      {url, table + "query = \"c.test\"",
       target + "it asks for 'b.test', but dns.query for 'c.test'"},
      {url + "?type=MX", table + "type = \"A\"", target + "it has type=MX, but dns.type is \"A\""},
      {url + "?transport=udp", table + "transport = \"tcp\"",
       target + "it has transport=udp, but dns.transport is another"},
      {url + "?type=B", "", target + "its query has type=B, which is no type known here"},
      {url + "?type=A&type=A", "", target + "its query has type twice"},
      {url + "?type=", "", target + "its query has type without a value"},
      {url + "?typ=A", "", target + "its query has 'typ'; there are type and transport"},
      {url + "?transport=quic", "", target + "its query has transport=quic; there are udp and tcp"},
      {url + "?transport=tls", "", target + "transport=tls is not supported by this version"},
      {url, table + "transport = \"tls\"",
       "a.toml:5:13: upstream.dns.transport: \"tls\" is not supported by this version"},
      {"dns://a/b..c", "",
       "a.toml:3:12: upstream.targets: 'dns://a/b..c': the name 'b..c' has an empty part between "
       "its dots"},
      {"dns://a", table + "query = \"\"",
       "a.toml:3:12: upstream.targets: 'dns://a': the name to ask for is missing: "
       "dns://server/example.org, or dns.query\n"
       "a.toml:5:9: upstream.dns.query: '' is empty; the root is \".\""},
      {url, table + "expect_answers = [\"(\"]",
       "a.toml:5:19: upstream.dns.expect_answers: not a regular expression (RE2): missing ): ("},
      {url, table + "reject_answers = [\"a\", \"(\"]",
       "a.toml:5:24: upstream.dns.reject_answers: not a regular expression (RE2): missing ): ("},
      {url, table + "expect_answers = [" + many_patterns() + "]",
       "a.toml:5:18: upstream.dns.expect_answers: has more than 16 patterns"},
      {url, "proxy_protocol = \"v1\"", target + "a name server is not sent a PROXY line"},
      {url + "?type=A\", \"" + url + "?type=MX", "",
       "a.toml:3:37: upstream.targets: 'dns://a/b.test' stands there twice (queries do not count)"},
      {"tcp://a:1", table, "a.toml:4:1: upstream.dns: does not apply to any of the targets"},
  });
}

TEST_CASE("what is said to a TCP service") {
  const std::string tcp = "[upstream.tcp]\n";
  std::string many = "[{ send = \"a\" }";
  for (int i = 0; i < 16; ++i) many += ", { send = \"a\" }";
  check({
      {"tcp://a:1", tcp + "exchange = [{ send = \"a\", expect = \"b\" }, { expect = \"c\" }]", ""},
      {"tcp://a:1", tcp + "exchange = [{}]",
       "a.toml:5:13: upstream.tcp.exchange.send: a step needs send, expect or both"},
      {"tcp://a:1", tcp + "exchange = [{ send = \"\" }]",
       "a.toml:5:22: upstream.tcp.exchange.send: is empty"},
      {"tcp://a:1", tcp + "exchange = [{ send = \"" + std::string(65536, 'a') + "\" }]", ""},
      {"tcp://a:1", tcp + "exchange = [{ send = \"" + std::string(65537, 'a') + "\" }]",
       "a.toml:5:22: upstream.tcp.exchange.send: is longer than 64 KiB"},
      {"tcp://a:1", tcp + "exchange = [{ expect = \"(\" }]",
       "a.toml:5:24: upstream.tcp.exchange.expect: not a regular expression (RE2): missing ): ("},
      {"tcp://a:1", tcp + "exchange = [{ expect = \"a*\" }]",
       "a.toml:5:24: upstream.tcp.exchange.expect: matches nothing at all: no answer would be "
       "awaited"},
      {"tcp://a:1", tcp + "exchange = " + many + "]",
       "a.toml:5:12: upstream.tcp.exchange: has more than 16 steps"},
      {"tcp://a:1", tcp + "exchange = [{ sent = \"a\", expect = \"b\" }]",
       "a.toml:5:15: unknown key 'upstream.tcp.exchange.sent'; did you mean 'send'?"},
      {"tls://a:1", tcp + "starttls = \"smtp\"", ""},
      {"tls://a:1", tcp + "starttls = \"smtps\"",
       "a.toml:5:12: upstream.tcp.starttls: 'smtps' is not one of smtp, imap, pop3, ftp, postgres, "
       "mysql; did you mean 'smtp'?"},
      {"tcp://a:1", tcp + "starttls = \"smtp\"",
       "a.toml:3:12: upstream.targets: 'tcp://a:1': tcp.starttls leads to TLS: write tls://a:1"},
      {"tls://a:1", tcp + "exchange = [{ send = \"a\" }]",
       "a.toml:3:12: upstream.targets: 'tls://a:1': tcp.exchange is for tcp:// targets; what leads "
       "to TLS is tcp.starttls"},
      {"http://a/", tcp + "exchange = [{ send = \"a\" }]",
       "a.toml:4:1: upstream.tcp: does not apply to any of the targets"},
  });
}

TEST_CASE("a source address decides for its IP version") {
  const auto config = read_config({ConfigText{
      "a.toml",
      "[[upstream]]\nname = \"a\"\ntargets = [\"http://a/\", \"tcp://b:1\"]\n"
      "source_address = \"2001:db8::1\"\ninterface = \"eth0\"\ndscp = \"cs1\"\n"
      "proxy_protocol = \"v1\"\n[upstream.tcp]\nexchange = [{ send = \"a\", expect = \"b\" }]\n"}});
  REQUIRE(config);
  const RunOptions& run = config->upstreams[0].run;
  CHECK(run.ip_protocol == IpProtocol::v6);
  REQUIRE(run.socket);
  CHECK(run.socket->source->text() == "[2001:db8::1]:0");
  CHECK(run.socket->interface == "eth0");
  CHECK(run.socket->dscp == 8);
  CHECK(run.socket->proxy_protocol);
  CHECK(config->upstreams[0].targets[1].buffer_bytes == 64 * 1024);
}

TEST_CASE("without these options nothing is asked of sockets") {
  const auto config = read_config(
      {ConfigText{"a.toml", "[[upstream]]\nname = \"a\"\ntargets = [\"http://a/\"]\n"}});
  CHECK(config->upstreams[0].run.socket == nullptr);
}

}  // namespace
}  // namespace ua
