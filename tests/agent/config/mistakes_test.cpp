// SPDX-License-Identifier: Apache-2.0
// What is wrong in a configuration and what the operator reads about it, word by word.
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "collectors/probes/probe_types.h"
#include "tests/catch.h"

namespace ua {
namespace {

using Texts = std::vector<std::string>;

Texts mistakes(const std::vector<ConfigText>& files) {
  const auto config = read_config(files);
  Texts result;
  if (config) return result;
  for (const Diagnostic& diagnostic : config.error()) result.push_back(diagnostic.text());
  return result;
}

/// Of a file "a.toml" alone, one a line.
std::string mistakes(const std::string& content) {
  std::string result;
  for (const std::string& text : mistakes({ConfigText{"a.toml", content}})) {
    result += (result.empty() ? "" : "\n") + text;
  }
  return result;
}

struct Row {
  std::string content;
  std::string message;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.content);
    CHECK(mistakes(row.content) == row.message);
  }
}

/// Lines that follow a sound upstream, so that their line is 4 and up.
std::string in_upstream(const std::string& lines) {
  return "[[upstream]]\nname = \"a\"\ntargets = [\"https://a/\"]\n" + lines;
}

void check_upstream(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.content);
    CHECK(mistakes(in_upstream(row.content)) == row.message);
  }
}

TEST_CASE("what is no TOML") {
  check({
      {"a = ",
       "a.toml:1:5: not valid TOML: Error while parsing key-value pair: encountered "
       "end-of-file"},
      {"[web]\n[web]\n",
       "a.toml:2:1: not valid TOML: Error while parsing table header: cannot "
       "redefine existing table 'web'"},
      {"[limits]\nmax_series = 1\nmax_series = 2\n",
       "a.toml:3:14: not valid TOML: Error while parsing key-value pair: cannot redefine existing "
       "integer 'max_series'"},
      {"\xef\xbb\xbf[web]\n",
       "a.toml:1:1: begins with a byte order mark; save the file as UTF-8 "
       "without one"},
      {"\xff\xfe[", "a.toml:1:1: is UTF-16; save the file as UTF-8"},
  });
  CHECK(mistakes(std::string("[web]\n\0", 7)) == "a.toml:2:1: holds a NUL byte; it is not TOML");
  CHECK(mistakes("x = \"\xff\"").substr(0, 26) == "a.toml:1:5: not valid TOML");
}

TEST_CASE("depth that would overflow the parser's stack is refused") {
  const auto dotted = [](std::size_t parts) {
    std::string key = "a";
    for (std::size_t i = 1; i < parts; ++i) key += i % 2 == 0 ? ".a" : " . \"a.#\"";
    return key;
  };
  CHECK(mistakes(dotted(16) + " = 1") == "a.toml:1:1: unknown key 'a'");
  CHECK(mistakes("\n" + dotted(17) + " = 1") == "a.toml:2:1: a key has more than 16 parts");
  CHECK(mistakes("[" + dotted(100'000) + "]") == "a.toml:1:1: a key has more than 16 parts");
  CHECK(mistakes("x = { " + dotted(100'000) + " = 1 }") ==
        "a.toml:1:1: a key has more than 16 parts");
  // As deep as toml++ lets pass, each level with as long a key as we let pass.
  std::string nested = "1";
  for (int i = 0; i < 250; ++i) nested = "{ " + dotted(16) + " = " + nested + " }";
  CHECK(mistakes("x = " + nested) == "a.toml:1:1: unknown key 'x'");
  CHECK(mistakes("x = " + std::string(100'000, '[')).find("TOML_MAX_NESTED_VALUES") !=
        std::string::npos);
}

TEST_CASE("dots and brackets in texts, comments and numbers are no depth") {
  const std::string many(40, '.');
  std::string content = "# " + many +
                        "[[[[{{{{\n[metrics]\nbuckets = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, "
                        "0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9]\n";
  content += in_upstream("labels = { a = '" + many + "[[[', b = \"\\\"" + many + "\" }\n" +
                         "[upstream.http]\nexpect_body = '''a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r''" +
                         many + "\n'''\n");
  CHECK(mistakes(content).empty());
}

TEST_CASE("mistakes in the tables that stand once") {
  check({
      {"[webb]\n", "a.toml:1:2: unknown key 'webb'; did you mean 'web'?"},
      {"frobnicate = 1\n", "a.toml:1:1: unknown key 'frobnicate'"},
      {"web = 1\n", "a.toml:1:7: web: expected a table, found an integer"},
      {"[web]\nlisten_address = [\":0\", \":0\", \"localhost:1\", \"unix:/a\", \"127.0.0.1:1\"]\n",
       "a.toml:2:57: web.listen_address: '127.0.0.1:1' stands there twice"},
      {"[web]\nlisten_address = [\"unix:/a\", \"unix:/a\"]\n",
       "a.toml:2:30: web.listen_address: 'unix:/a' stands there twice"},
      {"[web]\nlisten_address = []\n", "a.toml:2:18: web.listen_address: the list is empty"},
      {"[web]\nlisten_address = 80\n",
       "a.toml:2:18: web.listen_address: expected a list of texts, found an integer"},
      {"[web]\nlisten_address = [\":80\", \"80\"]\n",
       "a.toml:2:26: web.listen_address: '80' is no listen address; write host:port, [v6]:port, "
       ":port or unix:/path"},
      {"[web]\nlisten_address = \"host:80\"\n",
       "a.toml:2:18: web.listen_address: 'host:80': the host must be an address or localhost"},
      {"[web]\nlisten_address = \"::1:80\"\n",
       "a.toml:2:18: web.listen_address: '::1:80': an IPv6 address stands in brackets, another "
       "does "
       "not"},
      {"[web]\nlisten_address = \":65536\"\n",
       "a.toml:2:18: web.listen_address: ':65536' is no listen address; write host:port, "
       "[v6]:port, "
       ":port or unix:/path"},
      {"[web]\nlisten_address = \"127.0.0.1\\u0000:80\"\n",
       "a.toml:2:18: web.listen_address: '127.0.0.1\\x00:80' holds a NUL byte"},
      {"[web]\nlisten_address = \"unix:a.sock\"\n",
       "a.toml:2:18: web.listen_address: 'unix:a.sock': a socket needs an absolute path, as in "
       "unix:/run/upstream-agent.sock"},
      {"[logging]\nlevel = \"inf\"\n",
       "a.toml:2:9: logging.level: 'inf' is not one of trace, debug, info, warn, error, off; did "
       "you "
       "mean 'info'?"},
      {"[logging]\nformat = \"xml\"\n",
       "a.toml:2:10: logging.format: 'xml' is not one of logfmt, json"},
      {"[agent]\nshard = \"4/4\"\n",
       "a.toml:2:9: agent.shard: '4/4' is no shard; write \"0/4\" to \"3/4\" for the first to the "
       "last of four agents"},
      {"[agent]\nshard = \"0/0\"\n",
       "a.toml:2:9: agent.shard: '0/0' is no shard; write \"0/4\" to \"3/4\" for the first to the "
       "last of four agents"},
      {"[agent]\nshard = 1\n",
       "a.toml:2:9: agent.shard: expected a text in quotes, found an integer"},
      {"[agent]\nthreads = 1\n", ""},
      {"[agent]\nthreads = 2\n",
       "a.toml:2:11: agent.threads: more than 1 is not supported by this version"},
      {"[agent]\nstate_dir = \"/x\"\n",
       "a.toml:2:13: agent.state_dir: not supported by this version"},
      {"[limits]\nmax_series = 0\n",
       "a.toml:2:14: limits.max_series: 0 is out of range; it goes from 1 to 100000000"},
      {"[limits]\nmax_in_flight = \"many\"\n",
       "a.toml:2:17: limits.max_in_flight: expected an integer, found a text"},
      {"[limits]\nmax_body = \"2GiB\"\n",
       "a.toml:2:12: limits.max_body: 2147483648 bytes is out of range; it goes from 1 to "
       "1073741824"},
      {"[limits]\nmax_body = -1\n",
       "a.toml:2:12: limits.max_body: expected a size such as \"1MiB\", \"64KiB\" or a number of "
       "bytes"},
      {"[defaults]\ninterval = \"10ms\"\n",
       "a.toml:2:12: defaults.interval: 10ms is out of range; it goes from 100ms to 1d"},
      {"[defaults]\ninterval = \"5s\"\ntimeout = \"6s\"\n",
       "a.toml:3:11: defaults.timeout: the timeout (6s) is longer than the interval (5s)"},
      {"[defaults]\nrise = 0\n",
       "a.toml:2:8: defaults.rise: 0 is out of range; it goes from 1 to 100"},
      {"[defaults]\nname = \"x\"\n",
       "a.toml:2:1: unknown key 'defaults.name'; it belongs in [[upstream]]"},
      {"[metrics]\nhistogram_phases = [\"totl\", \"dns\", \"dns\"]\n",
       "a.toml:2:21: metrics.histogram_phases: 'totl' is not one of dns, connect, tls, request, "
       "response_headers, response_body, total; did you mean 'total'?\n"
       "a.toml:2:36: metrics.histogram_phases: 'dns' stands there twice"},
      {"[metrics]\nbuckets = [1, 1]\n",
       "a.toml:2:11: metrics.buckets: expected rising seconds above 0, such as [0.1, 0.5, 1]"},
      {"[metrics]\nbuckets = [1, inf]\n",
       "a.toml:2:11: metrics.buckets: expected rising seconds above 0, such as [0.1, 0.5, 1]"},
      {"[metrics]\nbuckets = [nan, 1]\n",
       "a.toml:2:11: metrics.buckets: expected rising seconds above 0, such as [0.1, 0.5, 1]"},
      {"[metrics]\nbuckets = []\n",
       "a.toml:2:11: metrics.buckets: expected rising seconds above 0, such as [0.1, 0.5, 1]"},
      {"[metrics]\nbirth_hold = 60\n",
       "a.toml:2:14: metrics.birth_hold: expected a duration such as \"5s\" or \"250ms\", found an "
       "integer"},
      {"[host]\ninterval = \"500ms\"\n",
       "a.toml:2:12: host.interval: 500ms is out of range; it goes from 1s to 1h"},
      {"[host]\nsamplers = [\"cpus\"]\n",
       "a.toml:2:13: host.samplers: 'cpus' is not one of cpu, load, memory, pressure, oom, swap, "
       "boot, connections, tcp, ports, network, conntrack, descriptors, filesystems; did you mean "
       "'cpu'?"},
      {"[host]\nwatch_ports = [80, 70000, \"x\"]\n",
       "a.toml:2:20: host.watch_ports: 70000 is out of range; it goes from 1 to 65535\n"
       "a.toml:2:27: host.watch_ports: expected an integer, found a text"},
      {"[discovery]\nnginx = \"yes\"\n",
       "a.toml:2:9: discovery.nginx: expected true or false, found a text"},
      {"[discovery]\nhaproxy = true\n",
       "a.toml:2:11: discovery.haproxy: not supported by this version"},
      {"[[tail]]\npath = \"/x\"\n", "a.toml:1:1: tail: not supported by this version"},
      {"[[proxy]]\nkind = \"nginx\"\n", "a.toml:1:1: proxy: not supported by this version"},
      {"[services]\n", "a.toml:1:1: services: not supported by this version"},
  });
}

TEST_CASE("mistakes in an upstream") {
  check({
      {"[upstream]\nname = \"a\"\n",
       "a.toml:1:1: upstream: is a list of tables; write [[upstream]]"},
      {"[[upstream]]\n",
       "a.toml:1:1: upstream.name: is missing\n"
       "a.toml:1:1: upstream.targets: is missing; write at least one, as in "
       "[\"http://127.0.0.1:8080/\"]"},
      {"[[upstream]]\nname = \"\"\ntargets = []\n",
       "a.toml:2:8: upstream.name: is missing\n"
       "a.toml:3:11: upstream.targets: is missing; write at least one, as in "
       "[\"http://127.0.0.1:8080/\"]"},
      {"[[upstream]]\nname = 5\ntargets = 6\n",
       "a.toml:2:8: upstream.name: expected a text in quotes, found an integer\n"
       "a.toml:3:11: upstream.targets: expected a list of texts, found an integer"},
      {"[[upstream]]\nname = \"a\\u001b[31m\"\ntargets = \"http://a/\"\n",
       "a.toml:2:8: upstream.name: has control characters"},
      {"[[upstream]]\nname = \"a\"\ntargets = [\n  \"http://a/\",\n  \"ftp://a/\",\n]\n",
       "a.toml:5:3: upstream.targets: no probe for 'ftp://'; there are " + known_schemes()},
      {"[[upstream]]\nname = \"a\"\ntargets = \"http://a/?x\\u0000\"\n",
       "a.toml:3:11: upstream.targets: a target has no spaces and no control characters"},
      {"[[upstream]]\nname = \"a\"\ntargets = [\"http://a/?x=1\", \"http://a/?x=2\"]\n",
       "a.toml:3:29: upstream.targets: 'http://a/' stands there twice (queries do not count)"},
      {"[[upstream]]\nname = \"a\"\ntargets = [\"http://a:80\", \"HTTP://A/?x\"]\n",
       "a.toml:3:27: upstream.targets: 'HTTP://A/' is the same target as 'http://a:80'"},
      {"[[upstream]]\nname = \"a\"\ntargets = [\"tcp+unix:///a\", \"tcp+unix:///A\"]\n", ""},
      {"[[upstream]]\nname = \"a\"\ntargets = [\"http://a/b\", \"http://a/B\", \"https://a/b\"]\n",
       ""},
      {"[[upstream]]\nname = \"a\"\ntargets = [\"tcp://a:1\"]\n[upstream.http]\nmethod = \"GET\"\n",
       "a.toml:4:1: upstream.http: does not apply to any of the targets"},
      // A bad target does not hide the mistakes of the tables.
      {"[[upstream]]\nname = \"a\"\ntargets = [\"htp://a\"]\n[upstream.http]\nmetod = \"GET\"\n",
       "a.toml:3:12: upstream.targets: no probe for 'htp://'; there are " + known_schemes() +
           "\n"
           "a.toml:5:1: unknown key 'upstream.http.metod'; did you mean 'method'?"},
  });
  CHECK(mistakes("[[upstream]]\nname = \"" + std::string(129, 'a') +
                 "\"\ntargets = \"tcp://a:1\"\n") ==
        "a.toml:2:8: upstream.name: is longer than 128 bytes");
}

TEST_CASE("targets that can never work") {
  const auto with = [](const std::string& target, const std::string& more) {
    return "[[upstream]]\nname = \"a\"\ntargets = \"" + target + "\"\n" + more + "\n";
  };
  check({
      {with("http://[fe80::a]:1/", ""),
       "a.toml:3:11: upstream.targets: 'http://[fe80::a]:1/': a link-local address needs its "
       "interface, as in [fe80::a%eth0]"},
      {with("http://[fe80::a%25eth0]:1/", ""), ""},
      {with("http://127.0.0.1/", "ip_protocol = \"6\""),
       "a.toml:3:11: upstream.targets: 'http://127.0.0.1/': an IPv4 address, but ip_protocol is "
       "\"6\""},
      {with("tcp://[::1]:5", "ip_protocol = \"4\""),
       "a.toml:3:11: upstream.targets: 'tcp://[::1]:5': an IPv6 address, but ip_protocol is "
       "\"4\""},
      {with("http://127.0.0.1/", "ip_protocol = \"4\""), ""},
      {with("http://localhost/", "ip_protocol = \"6\""), ""},
      {with("http+unix:///a", "ip_protocol = \"6\""), ""},
  });
}

TEST_CASE("mistakes in the options of an upstream") {
  check_upstream({
      {"intervall = \"5s\"",
       "a.toml:4:1: unknown key 'upstream.intervall'; did you mean 'interval'?"},
      {"interval = \"1ms\"",
       "a.toml:4:12: upstream.interval: 1ms is out of range; it goes from 100ms to 1d"},
      {"interval = \"5\"",
       "a.toml:4:12: upstream.interval: '5' is no duration; write a number with a unit, such as "
       "\"5s\" or \"250ms\""},
      {"timeout = \"20s\"",
       "a.toml:4:11: upstream.timeout: the timeout (20s) is longer than the interval (15s)"},
      {"interval = \"1s\"\ntimeout = \"1001ms\"",
       "a.toml:5:11: upstream.timeout: the timeout (1s1ms) is longer than the interval (1s)"},
      {"timeout = \"0s\"",
       "a.toml:4:11: upstream.timeout: 0s is out of range; it goes from 1ms to "
       "10m"},
      {"slow_threshold = \"5s\"",
       "a.toml:4:18: upstream.slow_threshold: is not below the timeout (5s): nothing would ever be "
       "slow"},
      {"rise = 101", "a.toml:4:8: upstream.rise: 101 is out of range; it goes from 1 to 100"},
      {"fall = -1", "a.toml:4:8: upstream.fall: -1 is out of range; it goes from 1 to 100"},
      {"addresses = \"some\"",
       "a.toml:4:13: upstream.addresses: 'some' is not one of any, first, all"},
      {"ip_protocol = 4",
       "a.toml:4:15: upstream.ip_protocol: expected a text in quotes, found an "
       "integer"},
      {"ip_protocol = \"5\"",
       "a.toml:4:15: upstream.ip_protocol: '5' is not one of any, 4, 6; did you mean '4'?"},
      {"service = \"a; reboot\"",
       "a.toml:4:11: upstream.service: 'a; reboot' is no name of a unit, container or process"},
      {"service = \"-x\"",
       "a.toml:4:11: upstream.service: '-x' is no name of a unit, container or process"},
      {"labels = { job = \"x\" }",
       "a.toml:4:18: upstream.labels: 'job' is set by the agent or by Prometheus; choose another"},
      {"labels = { cause = \"x\", le = \"y\" }",
       "a.toml:4:20: upstream.labels: 'cause' is set by the agent or by Prometheus; choose "
       "another\n"
       "a.toml:4:30: upstream.labels: 'le' is set by the agent or by Prometheus; choose another"},
      {"labels = { a-b = \"x\" }",
       "a.toml:4:18: upstream.labels: 'a-b' is no label name; use letters, digits and underscores"},
      {"labels = { 1a = \"x\" }",
       "a.toml:4:17: upstream.labels: '1a' is no label name; use letters, digits and underscores"},
      {"labels = { __name__ = \"x\" }",
       "a.toml:4:23: upstream.labels: '__name__' is no label name; use letters, digits and "
       "underscores"},
      {"labels = { quantile = \"0.5\" }",
       "a.toml:4:23: upstream.labels: 'quantile' is set by the agent or by Prometheus; choose "
       "another"},
      {"labels = { version = \"2\" }",
       "a.toml:4:22: upstream.labels: 'version' is a label of upstream_info or "
       "upstream_probe_tls_info; choose another"},
      {"labels = { team = 5 }",
       "a.toml:4:19: upstream.labels.team: expected a text in quotes, found an integer"},
      {"labels = { team = \"a\\nb\" }",
       "a.toml:4:19: upstream.labels: the value of 'team' has control characters"},
      {"labels = \"x\"",
       "a.toml:4:10: upstream.labels: expected a table such as { name = \"value\" }, found a text"},
      {"[upstream.grpc]", "a.toml:4:1: upstream.grpc: not supported by this version"},
      {"[upstream.tcp]\nstarttls = \"smtp\"",
       "a.toml:4:1: upstream.tcp: does not apply to any of the targets"},
      {"http = 1", "a.toml:4:8: upstream.http: expected a table, found an integer"},
  });
  CHECK(mistakes(in_upstream("labels = { team = \"" + std::string(129, 'a') + "\" }")) ==
        "a.toml:4:19: upstream.labels: the value of 'team' is longer than 128 bytes");
}

TEST_CASE("a target that its options cannot be used with") {
  const auto plain = [](const std::string& targets, const std::string& lines) {
    return mistakes("[[upstream]]\nname = \"a\"\ntargets = [" + targets + "]\n[upstream.http]\n" +
                    lines);
  };
  CHECK(plain("\"https://a/\", \"http://a/\"", "version = \"2\"") ==
        "a.toml:3:26: upstream.targets: 'http://a/': HTTP/2 without TLS is spoken by prior "
        "knowledge: write http.version = \"2-prior\"");
  CHECK(
      plain("\"http://a/\", \"http+unix:///b\", \"https://a/\"", "version = \"2-prior\"").empty());
  CHECK(plain("\"http://a/\", \"http+unix:///b\"", "proxy_url = \"http://p:1\"") ==
        "a.toml:3:25: upstream.targets: 'http+unix:///b': a Unix socket is not reached through "
        "http.proxy_url");
  CHECK(mistakes("[[upstream]]\nname = \"a\"\ntargets = \"http://a/\"\nproxy_protocol = \"v1\"\n"
                 "[upstream.http]\nproxy_url = \"http://p:1\"\n") ==
        "a.toml:3:11: upstream.targets: 'http://a/': proxy_protocol would go to the forward proxy; "
        "leave it or http.proxy_url out");
  CHECK(
      plain("\"https://a/\", \"http://a/\"", "version = \"2-prior\"\nproxy_url = \"http://p:1\"") ==
      "a.toml:3:26: upstream.targets: 'http://a/': a proxy takes no HTTP/2 by prior knowledge; "
      "leave http.version or http.proxy_url out");
}

TEST_CASE("mistakes in [upstream.http] and [upstream.tls]") {
  const auto http = [](const std::string& line) {
    return mistakes(in_upstream("[upstream.http]\n" + line));
  };
  const auto tls = [](const std::string& line) {
    return mistakes(in_upstream("[upstream.tls]\n" + line));
  };
  const std::vector<Row> rows{
      {"method = \"GE T\"", "a.toml:5:10: upstream.http.method: 'GE T' is no HTTP method"},
      {"host = \"a b\"",
       "a.toml:5:8: upstream.http.host: write a host name, with a port where it is "
       "not the usual one"},
      {"host = \"http://a\"",
       "a.toml:5:8: upstream.http.host: write a host name, with a port where "
       "it is not the usual one"},
      {"method = \"get\"",
       "a.toml:5:10: upstream.http.method: 'get' is not upper case, as servers expect it"},
      {"method = \"purge\"", ""},
      {"method = \"CONNECT\"",
       "a.toml:5:10: upstream.http.method: CONNECT opens a tunnel through a proxy: set proxy_url "
       "for that"},
      {"method = \"POST\"\nbody = \"a\\u0000b\"", ""},
      {"body = '{\"query\": {}}'", ""},
      {"body = [\"a\"]", "a.toml:5:8: upstream.http.body: expected a text in quotes, found a list"},
      {"method = \"HEAD\"\nbody = \"a\"",
       "a.toml:6:8: upstream.http.body: a HEAD request has no body"},
      {"method = \"TRACE\"\nbody = \"a\"",
       "a.toml:6:8: upstream.http.body: a TRACE request has no body"},
      {"method = \"HEAD\"\nreject_body = \"a\"",
       "a.toml:6:15: upstream.http.reject_body: the answer to a HEAD request has no body"},
      {"reject_body = \"[\"",
       "a.toml:5:15: upstream.http.reject_body: not a regular expression (RE2): missing ]: ["},
      {"expect_header = { Content-Type = \"^text/\", x = \"\" }", ""},
      {"expect_header = \"x\"",
       "a.toml:5:17: upstream.http.expect_header: expected a table such as { name = \"value\" }, "
       "found a text"},
      {"expect_header = { \"a:\" = \"b\" }",
       "a.toml:5:26: upstream.http.expect_header: 'a:' is no name of a header"},
      {"expect_header = { a = \"b\", c = \"(\" }",
       "a.toml:5:32: upstream.http.expect_header: 'c' is not a regular expression (RE2): missing "
       "): "
       "("},
      {"method = \"HEAD\"\nexpect_body = \"a\"",
       "a.toml:6:15: upstream.http.expect_body: the answer to a HEAD request has no body"},
      {"headers = { Host = \"a\" }",
       "a.toml:5:20: upstream.http.headers: set 'host' of this table instead of a Host header"},
      {"headers = { \"a b\" = \"a\" }",
       "a.toml:5:21: upstream.http.headers: 'a b' is no name of a header"},
      {"headers = { a = \"b\\r\\nc: d\" }",
       "a.toml:5:17: upstream.http.headers: the value of 'a' has control characters"},
      {"headers = { Content-Length = \"5\" }",
       "a.toml:5:30: upstream.http.headers: 'Content-Length' is set by the probe itself"},
      {"headers = [\"a: b\"]",
       "a.toml:5:11: upstream.http.headers: expected a table such as { name = "
       "\"value\" }, found a list"},
      {"expect_status = [200, 99]",
       "a.toml:5:23: upstream.http.expect_status: write codes such as 204, ranges such as "
       "\"200-299\" or classes such as \"2xx\""},
      {"expect_status = \"299-200\"",
       "a.toml:5:17: upstream.http.expect_status: write codes such as 204, ranges such as "
       "\"200-299\" or classes such as \"2xx\""},
      {"expect_status = \"6xx\"",
       "a.toml:5:17: upstream.http.expect_status: write codes such as 204, ranges such as "
       "\"200-299\" or classes such as \"2xx\""},
      {"expect_status = 200.0",
       "a.toml:5:17: upstream.http.expect_status: write codes such as 204, ranges such as "
       "\"200-299\" or classes such as \"2xx\""},
      {"expect_status = []",
       "a.toml:5:17: upstream.http.expect_status: the list is empty: nothing would be accepted"},
      {"expect_body = \"a(\"",
       "a.toml:5:15: upstream.http.expect_body: not a regular expression "
       "(RE2): missing ): a("},
      {"expect_body = \"(?=a)\"",
       "a.toml:5:15: upstream.http.expect_body: not a regular expression "
       "(RE2): invalid perl operator: (?="},
      {"expect_body = \"((a{100}){100}){100}\"",
       "a.toml:5:15: upstream.http.expect_body: not a regular expression (RE2): invalid repetition "
       "size: {100}"},
      {"follow_redirects = 1",
       "a.toml:5:20: upstream.http.follow_redirects: expected true or false, found an integer"},
      {"basic_auth = \"u:p\"",
       "a.toml:5:14: upstream.http.basic_auth: expected a table, found a text"},
      {"basic_auth = { }",
       "a.toml:5:14: upstream.http.basic_auth.password_file: is missing\n"
       "a.toml:5:14: upstream.http.basic_auth.username: is missing"},
      {"basic_auth = { username = \"a:b\", password_file = \"/nonexistent\" }",
       "a.toml:5:27: upstream.http.basic_auth.username: must not hold a colon (RFC 7617)\n"
       "a.toml:5:50: upstream.http.basic_auth.password_file: cannot open /nonexistent: No such "
       "file "
       "or directory"},
      {"bearer_token_file = \"/dev/zero\"",
       "a.toml:5:21: upstream.http.bearer_token_file: /dev/zero is not a regular file"},
      {"max_body = \"2MiB\"",
       "a.toml:5:12: upstream.http.max_body: 2097152 bytes is more than limits.max_body, 1048576"},
      {"max_body = 0",
       "a.toml:5:12: upstream.http.max_body: 0 bytes is out of range; it goes from 1 to "
       "1073741824"},
      {"version = \"2\"", ""},
      {"version = \"2.0\"", "a.toml:5:11: upstream.http.version: '2.0' is written \"2\""},
      {"version = \"1.2\"",
       "a.toml:5:11: upstream.http.version: '1.2' is not one of auto, 1.0, 1.1, 2, 2-prior; did "
       "you mean '1.0'?"},
      {"version = 2",
       "a.toml:5:11: upstream.http.version: expected a text in quotes, found an "
       "integer"},
      {"proxy_url = \"http://proxy.example:3128\"", ""},
      {"proxy_url = \"http://[2001:db8::1]:3128/\"", ""},
      {"proxy_url = \"proxy.example:3128\"",
       "a.toml:5:13: upstream.http.proxy_url: write a proxy's URL, as in "
       "http://proxy.example:3128"},
      {"proxy_url = \"https://proxy.example\"",
       "a.toml:5:13: upstream.http.proxy_url: write a proxy's URL, as in "
       "http://proxy.example:3128; "
       "it is spoken to in plain HTTP alone"},
      {"proxy_url = \"http://proxy.example/x\"",
       "a.toml:5:13: upstream.http.proxy_url: write a proxy's URL, as in "
       "http://proxy.example:3128, "
       "without a path"},
      {"proxy_basic_auth = { username = \"u\", password_file = \"/nonexistent\" }",
       "a.toml:5:20: upstream.http.proxy_basic_auth: there is no proxy_url\n"
       "a.toml:5:54: upstream.http.proxy_basic_auth.password_file: cannot open /nonexistent: No "
       "such "
       "file or directory"},
      {"proxy_url = \"http://a:1\"\nproxy_basic_auth = { username = \"u\" }",
       "a.toml:6:20: upstream.http.proxy_basic_auth.password_file: is missing"},
  };
  for (const Row& row : rows) {
    INFO(row.content);
    CHECK(http(row.content) == row.message);
  }
  CHECK(tls("ca_file = \"/nonexistent\"") ==
        "a.toml:5:11: upstream.tls.ca_file: cannot open "
        "/nonexistent: No such file or directory");
  CHECK(tls("ca_file = \"/etc/passwd\"") ==
        "a.toml:5:11: upstream.tls.ca_file: /etc/passwd holds no PEM certificate");
  for (const char* name : {"https://a", "a:443", "a/", "u@a", "a b", ""}) {
    INFO(name);
    CHECK(tls("server_name = \"" + std::string(name) + '"') ==
          "a.toml:5:15: upstream.tls.server_name: write a host name alone, as in app.example");
  }
  CHECK(tls("insecure_skip_verify = \"no\"") ==
        "a.toml:5:24: upstream.tls.insecure_skip_verify: expected true or false, found a text");
  CHECK(tls("cert_file = \"/nonexistent\"") ==
        "a.toml:5:13: upstream.tls.cert_file: key_file is missing: a client certificate needs its "
        "private key");
  CHECK(tls("key_file = \"/nonexistent\"") ==
        "a.toml:5:12: upstream.tls.key_file: cert_file is missing: the key is nothing without its "
        "certificate");
  CHECK(tls("cert_file = \"/nonexistent\"\nkey_file = \"/dev/zero\"") ==
        "a.toml:5:13: upstream.tls.cert_file: cannot open /nonexistent: No such file or directory\n"
        "a.toml:6:12: upstream.tls.key_file: /dev/zero is not a regular file");
  CHECK(tls("min_version = \"1.0\"").empty());
  CHECK(tls("min_version = \"1.4\"") ==
        "a.toml:5:15: upstream.tls.min_version: '1.4' is not one of 1.0, 1.1, 1.2, 1.3; did you "
        "mean '1.0'?");
  CHECK(tls("min_version = 1.2") ==
        "a.toml:5:15: upstream.tls.min_version: expected a text in quotes, found a decimal number");
}

TEST_CASE("all mistakes of all files at once, in their order") {
  CHECK(mistakes({{"a.toml", "[web]\nport = 1\n[[upstream]]\nname = \"x\"\nx = 1\n"},
                  {"b.toml", "z = 1\n[limits]\nmax_series = \"x\"\n"},
                  {"c.toml", "= 1\n"}}) ==
        Texts{"a.toml:2:1: unknown key 'web.port'",
              "a.toml:3:1: upstream.targets: is missing; write at least one, as in "
              "[\"http://127.0.0.1:8080/\"]",
              "a.toml:5:1: unknown key 'upstream.x'", "b.toml:1:1: unknown key 'z'",
              "b.toml:3:14: limits.max_series: expected an integer, found a text",
              "c.toml:1:1: not valid TOML: Error while parsing root table: expected keys, tables, "
              "whitespace or comments, saw '='"});
}

TEST_CASE("defaults are checked together, in whatever files they stand") {
  const std::string slow = "[defaults]\nslow_threshold = \"8s\"\n";
  CHECK(
      mistakes(slow) ==
      "a.toml:2:18: defaults.slow_threshold: is not below the timeout (5s): nothing would ever be "
      "slow");
  CHECK(mistakes({{"a.toml", slow}, {"b.toml", "[defaults]\ntimeout = \"10s\"\n"}}) == Texts{});
  CHECK(mistakes({{"a.toml", "[defaults]\ntimeout = \"10s\"\n"},
                  {"b.toml", "[defaults]\ninterval = \"8s\"\n"}}) ==
        Texts{"a.toml:2:11: defaults.timeout: the timeout (10s) is longer than the interval (8s)"});
  // Nobody wrote this timeout; it makes room.
  CHECK(mistakes("[defaults]\ninterval = \"2s\"\n").empty());
}

TEST_CASE("a key in the wrong table is told where it belongs") {
  check({
      {"timeout = \"1s\"\n",
       "a.toml:1:1: unknown key 'timeout'; it belongs in [[upstream]] or [defaults]"},
      {"[http]\nmethod = \"GET\"\n", "a.toml:1:2: unknown key 'http'; write [upstream.http]"},
      {"[limits]\nshard = \"0/2\"\n",
       "a.toml:2:1: unknown key 'limits.shard'; it belongs in [agent]"},
      // What is near in the table itself is less likely than the very key elsewhere.
      {"[host]\ntimeout = \"1s\"\n",
       "a.toml:2:1: unknown key 'host.timeout'; it belongs in [[upstream]] or [defaults]"},
  });
  check_upstream({
      {"expect_status = 204",
       "a.toml:4:1: unknown key 'upstream.expect_status'; it belongs in [upstream.http] or "
       "[upstream.fastcgi]"},
      {"[upstream.http]\ninterval = \"5s\"",
       "a.toml:5:1: unknown key 'upstream.http.interval'; it belongs in [[upstream]] or [defaults] "
       "or [host]"},
      {"[upstream.http]\nca_file = \"/x\"",
       "a.toml:5:1: unknown key 'upstream.http.ca_file'; it belongs in [upstream.tls]"},
  });
}

TEST_CASE("what is set twice is said with both places") {
  const std::string upstream = "[[upstream]]\nname = \"x\"\ntargets = \"tcp://a:1\"\n";
  CHECK(mistakes({{"a.toml", "[limits]\nmax_series = 1\n" + upstream},
                  {"b.toml", "[limits]\nmax_connections = 5\nmax_series = 1\n" + upstream}}) ==
        Texts{"b.toml:3:14: limits.max_series: is set at a.toml:2:14 already",
              "b.toml:5:8: upstream.name: 'x' is the name of the upstream at a.toml:3 already"});
}

}  // namespace
}  // namespace ua
