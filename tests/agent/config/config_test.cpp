// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "agent/config/listen_address.h"
#include "agent/config/shard.h"
#include "collectors/probes/http/http_options.h"
#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

namespace fs = std::filesystem;

std::string first_mistake(const fs::path& file) {
  const auto config = load_config(file);
  return config ? "" : config.error().front().text();
}

std::string upstream(const std::string& name, const std::string& more = "") {
  return "[[upstream]]\nname = \"" + name + "\"\ntargets = \"http://a/\"\n" + more + "\n";
}

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

const fs::path kSource = UA_SOURCE_DIR;

TEST_CASE("every setting arrives where it belongs") {
  const auto config = read_config({{"a.toml", R"(
[web]
listen_address = ["127.0.0.1:1", "unix:/run/a.sock"]
[logging]
level = "debug"
format = "json"
[agent]
shard = "2/8"
[limits]
max_series = 5
max_in_flight = 6
max_body = "2KiB"
max_connections = 7
[defaults]
interval = "30s"
timeout = "10s"
rise = 3
fall = 4
addresses = "first"
ip_protocol = "6"
slow_threshold = "1s"
[metrics]
histogram_phases = ["connect", "total"]
buckets = [1, 2.5]
birth_hold = "0s"
[host]
interval = "10s"
samplers = ["load", "cpu"]
watch_ports = [443]
[discovery]
nginx = true
listeners = false
[[upstream]]
name = "plain"
targets = ["http://a:1/x?token=s", "tcp://b:2"]
[[upstream]]
name = "own"
targets = "https://a/"
interval = "2s"
timeout = "1s"
rise = 1
fall = 1
addresses = "all"
ip_protocol = "4"
slow_threshold = "500ms"
service = "getty@tty1.service"
labels = { team = "payments", env = "prod" }
[upstream.http]
expect_body = "ok"
max_body = "1KiB"
)"}});
  REQUIRE(config);
  REQUIRE(config->web.listen_addresses.size() == 2);
  CHECK(config->web.listen_addresses[0] == *parse_listen_address("127.0.0.1:1"));
  CHECK(config->web.listen_addresses[1] == *parse_listen_address("unix:/run/a.sock"));
  CHECK(config->logging.level == "debug");
  CHECK(config->logging.format == "json");
  CHECK(config->shard.index == 2);
  CHECK(config->shard.count == 8);
  CHECK(config->limits.max_series == 5);
  CHECK(config->limits.max_in_flight == 6);
  CHECK(config->limits.probe.max_body == 2048);
  CHECK(config->limits.max_connections == 7);
  CHECK(config->metrics.histogram_phases == std::vector{TimedPhase::connect, TimedPhase::total});
  CHECK(config->metrics.buckets == std::vector<double>{1, 2.5});
  CHECK(config->metrics.birth_hold == 0s);
  CHECK(config->host.interval == 10s);
  CHECK(config->host.samplers == std::vector<std::string>{"load", "cpu"});
  CHECK(config->host.watch_ports == std::vector<std::uint16_t>{443});
  CHECK(config->discovery.nginx);
  CHECK_FALSE(config->discovery.listeners);
  CHECK_FALSE(config->file);
  REQUIRE(config->upstreams.size() == 2);

  const UpstreamConfig& plain = config->upstreams[0];
  CHECK(plain.origin == "a.toml:33");
  CHECK(plain.interval == 30s);
  CHECK(plain.rise == 3);
  CHECK(plain.fall == 4);
  CHECK(plain.run.timeout == 10s);
  CHECK(plain.run.addresses == AddressMode::first);
  CHECK(plain.run.ip_protocol == IpProtocol::v6);
  CHECK(plain.run.slow_threshold == 1s);
  REQUIRE(plain.targets.size() == 2);
  CHECK(plain.targets[0].type == "http");
  CHECK(plain.targets[0].target.label == "http://a:1/x");
  CHECK(plain.targets[0].make != nullptr);
  CHECK(plain.targets[1].type == "tcp");

  const UpstreamConfig& own = config->upstreams[1];
  CHECK(own.interval == 2s);
  CHECK(own.rise == 1);
  CHECK(own.fall == 1);
  CHECK(own.run.timeout == 1s);
  CHECK(own.run.addresses == AddressMode::all);
  CHECK(own.run.ip_protocol == IpProtocol::v4);
  CHECK(own.run.slow_threshold == 500ms);
  CHECK(own.service == "getty@tty1.service");
  CHECK(own.labels == LabelPairs{{"env", "prod"}, {"team", "payments"}});
  CHECK(own.targets[0].buffer_bytes == 1024);
}

TEST_CASE("a file with a comment is a configuration; discovery is on only without one") {
  const auto config = read_config({{"a.toml", "# nothing"}});
  REQUIRE(config);
  CHECK_FALSE(config->discovery.nginx);
  CHECK(config->discovery.listeners);
  CHECK(default_config().discovery.nginx);
  CHECK(default_config().discovery.listeners);
  CHECK(default_config().upstreams.empty());
}

TEST_CASE("a default timeout makes room for a short interval, a written one does not") {
  const auto config = read_config({{"a.toml", upstream("x", "interval = \"1s\"")}});
  REQUIRE(config);
  CHECK(config->upstreams[0].run.timeout == 1s);
}

TEST_CASE("conf.d beside the file is read in name order, and its settings hold everywhere") {
  const Directory dir;
  const fs::path file = dir.write("agent.toml", upstream("main") + "[limits]\nmax_series = 9\n");
  dir.write("conf.d/20.toml", upstream("twenty"));
  dir.write("conf.d/10.toml", "[defaults]\ninterval = \"7s\"\n[limits]\nmax_connections = 3\n");
  dir.write("conf.d/.hidden.toml", "broken");
  dir.write("conf.d/10.toml.dpkg-old", "broken");
  const auto config = load_config(file);
  REQUIRE(config);
  CHECK(config->files == 3);
  CHECK(config->file == file);
  REQUIRE(config->upstreams.size() == 2);
  CHECK(config->upstreams[0].name == "main");
  CHECK(config->upstreams[0].interval == 7s);
  CHECK(config->upstreams[1].origin == (dir / "conf.d/20.toml").string() + ":1");
  CHECK(config->limits.max_series == 9);
  CHECK(config->limits.max_connections == 3);
}

TEST_CASE("what cannot be read as a configuration is said, and nothing hangs") {
  const Directory dir;
  const std::string missing = (dir / "missing.toml").string();
  CHECK(first_mistake(missing) == missing + ":1:1: cannot open: No such file or directory");
  const std::string fifo = (dir / "fifo.toml").string();
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(first_mistake(fifo) == fifo + ":1:1: is not a regular file");
  const std::string folder = (dir / "folder.toml").string();
  fs::create_directory(folder);
  CHECK(first_mistake(folder) == folder + ":1:1: is not a regular file");
  const std::string large = dir.write("large.toml", std::string((1 << 20) + 1, '#'));
  CHECK(first_mistake(large) == large + ":1:1: is larger than 1048576 bytes");
  const std::string largest = dir.write("largest.toml", std::string(1 << 20, '#'));
  CHECK(first_mistake(largest).empty());
  CHECK(first_mistake("/dev/null") == "/dev/null:1:1: is not a regular file");
}

TEST_CASE("a conf.d that cannot be listed is a mistake, one that is not there is none") {
  const Directory dir;
  const fs::path file = dir.write("agent.toml", "#");
  CHECK(first_mistake(file).empty());
  dir.write("conf.d", "a file");
  CHECK(first_mistake(file) ==
        (dir / "conf.d").string() + ":1:1: cannot be listed: Not a directory");
}

TEST_CASE("a file without content was cut off, whichever it is") {
  const Directory dir;
  const std::string empty =
      ":1:1: is empty, as if it had been cut off; where that is meant, write a comment into it";
  const std::string file = dir.write("agent.toml", "");
  CHECK(first_mistake(file) == file + empty);
  dir.write("agent.toml", " \r\n\t\n");
  CHECK(first_mistake(file) == file + empty);
  dir.write("agent.toml", "# meant");
  CHECK(first_mistake(file).empty());
  const std::string more = dir.write("conf.d/a.toml", "");
  CHECK(first_mistake(file) == more + empty);
}

TEST_CASE("where nobody named a file, the defaults hold only if none is there") {
  const Directory dir;
  const fs::path file = dir / "etc/agent.toml";
  const auto mistake = [&] {
    const auto config = load_default_config(file);
    return config ? "" : config.error().front().text();
  };
  auto config = load_default_config(file);  // not even the directory
  REQUIRE(config);
  CHECK_FALSE(config->file);
  CHECK(config->discovery.nginx);

  fs::create_directories(dir / "etc/conf.d");
  config = load_default_config(file);
  REQUIRE(config);
  CHECK_FALSE(config->file);

  dir.write("etc/conf.d/a.toml", upstream("a"));
  config = load_default_config(file);
  REQUIRE(config);
  CHECK(config->file == dir / "etc/conf.d");
  CHECK(config->files == 1);
  CHECK(config->upstreams.size() == 1);
  CHECK_FALSE(config->discovery.nginx);

  dir.write("etc/agent.toml", upstream("main"));
  config = load_default_config(file);
  REQUIRE(config);
  CHECK(config->file == file);
  CHECK(config->upstreams.size() == 2);

  fs::remove(file);
  fs::create_symlink(dir / "nowhere", file);
  CHECK(mistake() == file.string() + ":1:1: cannot open: No such file or directory");
  fs::remove_all(dir / "etc");
  dir.write("etc", "a file");
  CHECK(mistake() == file.string() + ":1:1: cannot be read: Not a directory");
}

TEST_CASE("secrets come from files that nobody else can read") {
  const Directory dir;
  const auto mistake = [&](const std::string& secret) {
    const auto config = read_config(
        {{"a.toml", upstream("x", "[upstream.http]\nbearer_token_file = \"" + secret + '"')}});
    return config ? "" : config.error().front().message;
  };
  const std::string key = "upstream.http.bearer_token_file: ";
  CHECK(mistake(dir.write("good", "s3cret\n")).empty());
  CHECK(mistake(dir.write("read-only", "s3cret", 0400)).empty());
  for (const mode_t mode : {0640, 0604, 0660, 0610, 0602}) {
    const std::string path = dir.write("open", "s3cret\n", mode);
    CHECK(mistake(path) == key + path + " can be read by others; run chmod 600 " + path);
  }
  const std::string empty = dir.write("empty", "\n");
  CHECK(mistake(empty) == key + empty + " is empty");
  const std::string lines = dir.write("lines", "s3cret\nmore\n");
  CHECK(mistake(lines) == key + lines + " has more than one line");
  const std::string large = dir.write("large", std::string(65537, 's'));
  CHECK(mistake(large) == key + large + " is larger than 65536 bytes");
  const std::string fifo = (dir / "fifo").string();
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(mistake(fifo) == key + fifo + " is not a regular file");
  if (geteuid() != 0) {
    WARN("skipped: a secret of another user needs root to be made");
    return;
  }
  const std::string foreign = dir.write("foreign", "s3cret");
  REQUIRE(chown(foreign.c_str(), 65534, 65534) == 0);
  CHECK(mistake(foreign) ==
        key + foreign + " belongs to another user; it must be root's or this user's");
}

TEST_CASE("a CA file needs a whole certificate") {
  const Directory dir;
  const auto good = [&](const std::string& content) {
    const std::string path = dir.write("ca.pem", content);
    return read_config({{"a.toml",
                         "[[upstream]]\nname = \"x\"\ntargets = \"https://a/\"\n"
                         "[upstream.tls]\nca_file = \"" +
                             path + "\"\n"}})
        .has_value();
  };
  const std::string begin = "-----BEGIN CERTIFICATE-----\n";
  const std::string end = "-----END CERTIFICATE-----\n";
  CHECK(good("# a comment\n" + begin + "MIIBszCC\n" + end));
  CHECK_FALSE(good(begin + "MIIBszCC\n"));
  CHECK_FALSE(good(begin + end));
  CHECK_FALSE(good(begin + "MII<html>\n" + end));
  CHECK_FALSE(good("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"));
}

TEST_CASE("expected status codes in all their forms") {
  const StatusSet set{{{204, 204}, {300, 399}}};
  CHECK(set.contains(204));
  CHECK_FALSE(set.contains(205));
  CHECK(set.contains(399));
  CHECK_FALSE(set.contains(400));
  for (const char* value : {"204", "\"200-299\"", "\"2xx\"", "[204, \"2xx\", \"300 - 399\"]"}) {
    INFO(value);
    CHECK(read_config(
        {{"a.toml", upstream("x", "[upstream.http]\nexpect_status = " + std::string(value))}}));
  }
}

TEST_CASE("listen addresses are taken apart") {
  CHECK(WebConfig{}.listen_addresses == std::vector{*parse_listen_address(":10917")});
  CHECK(parse_listen_address(":0")->host.empty());
  CHECK(parse_listen_address("localhost:80")->host == "127.0.0.1");
  CHECK(parse_listen_address("[::1]:80")->host == "::1");
  CHECK(parse_listen_address("[::1]:80")->port == 80);
  CHECK(parse_listen_address("unix:/run/a.sock")->unix_path == "/run/a.sock");
  for (const char* bad : {"", "80", ":", ":x", ":-1", "[]:80", "[127.0.0.1]:80", "[::1:80", "a b:1",
                          "unix:", "unix:a", "127.0.0.1", "127.0.0.1:", "host.example:80", "[::1]",
                          ":65536", ":8x", "a\nb:80"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_listen_address(bad));
    CHECK(parse_listen_address(bad).error().message.find('\n') == std::string::npos);
  }
  CHECK_FALSE(parse_listen_address("unix:/" + std::string(107, 'a')));
}

TEST_CASE("shards share the targets out: each to one, evenly, the same for ever") {
  constexpr unsigned kShards = 8;
  std::vector<unsigned> sizes(kShards);
  for (unsigned i = 0; i < 8000; ++i) {
    const std::string label =
        "http://10.0." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ":8080/healthz";
    unsigned takers = 0;
    for (unsigned shard = 0; shard < kShards; ++shard) {
      if (!in_shard({shard, kShards}, "u", label)) continue;
      ++takers;
      ++sizes[shard];
    }
    REQUIRE(takers == 1);
  }
  CHECK(*std::min_element(sizes.begin(), sizes.end()) > 900);
  CHECK(*std::max_element(sizes.begin(), sizes.end()) < 1100);
  // Of any other version: agents of one fleet are not upgraded all at once.
  CHECK(in_shard({1, 8}, "checkout", "http://10.0.0.5:8080/healthz"));
  CHECK(in_shard({3, 8}, "checkout", "tcp://db.example:5432"));
}

TEST_CASE("a shard keeps whole upstreams or parts of them, one shard everything") {
  std::string content;
  for (int i = 0; i < 50; ++i) content += upstream("u" + std::to_string(i));
  const auto config = read_config({{"a.toml", content}});
  REQUIRE(config);
  CHECK(take_shard({0, 1}, config->upstreams).size() == 50);
  const auto first = take_shard({0, 2}, config->upstreams);
  const auto second = take_shard({1, 2}, config->upstreams);
  CHECK(first.size() + second.size() == 50);
  CHECK(first.size() > 10);
  CHECK(second.size() > 10);
}

TEST_CASE("the example configuration is valid as it stands and with every comment removed") {
  const std::string example = read_file(kSource / "packaging/agent.toml");
  REQUIRE(example.size() > 1000);
  CHECK(read_config({{"agent.toml", example}}));
  // Lines such as "#interval = ..." are examples, "# text" is prose.
  std::string all;
  std::istringstream lines(example);
  for (std::string line; std::getline(lines, line);) {
    const bool commented = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    all += (commented ? line.substr(1) : line) + '\n';
  }
  const auto config = read_config({{"agent.toml", all}});
  if (!config) {
    for (const Diagnostic& diagnostic : config.error()) UNSCOPED_INFO(diagnostic.text());
  }
  CHECK(config);
}

}  // namespace
}  // namespace ua
