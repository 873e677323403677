// SPDX-License-Identifier: Apache-2.0
#include "agent/load.h"

#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

namespace fs = std::filesystem;

std::string upstream(const std::string& name) {
  return "[[upstream]]\nname = \"" + name + "\"\ntargets = \"http://a/\"\n";
}

TEST_CASE("what was in use and is no longer there is gone, what came to it is not") {
  const fs::path main = "/etc/upstream-agent/agent.toml";
  const fs::path conf_d = "/etc/upstream-agent/conf.d";
  CHECK_FALSE(is_gone(std::nullopt, std::nullopt));
  CHECK_FALSE(is_gone(std::nullopt, main));
  CHECK_FALSE(is_gone(std::nullopt, conf_d));
  CHECK_FALSE(is_gone(conf_d, conf_d));
  CHECK_FALSE(is_gone(conf_d, main));
  CHECK_FALSE(is_gone(main, main));
  CHECK(is_gone(conf_d, std::nullopt));
  CHECK(is_gone(main, std::nullopt));
  CHECK(is_gone(main, conf_d));
}

TEST_CASE("a file that is gone does not replace what is in use") {
  const Directory dir;
  RunArguments arguments;
  arguments.default_file = dir.write("agent.toml", upstream("a"));
  const LoadResult first = load(arguments, nullptr);
  REQUIRE(first);
  CHECK(first->upstreams.size() == 1);
  CHECK(first->config.upstreams.empty());
  CHECK(load(arguments, &first->config));

  const std::string gone =
      arguments.default_file.string() + ":1:1: is gone; restart the agent to go on without it";
  fs::remove(arguments.default_file);
  LoadResult again = load(arguments, &first->config);
  REQUIRE_FALSE(again);
  CHECK(again.error().front().text() == gone);
  dir.write("conf.d/b.toml", upstream("b"));
  again = load(arguments, &first->config);
  REQUIRE_FALSE(again);
  CHECK(again.error().front().text() == gone);
  CHECK(load(arguments, nullptr));  // as after a restart
}

TEST_CASE("what is configured wins over what is discovered, and the rest is added") {
  const auto configured = read_config({{"a.toml", upstream("web")}});
  REQUIRE(configured);
  std::vector<UpstreamConfig> upstreams = configured->upstreams;
  Discovered found = probed_upstreams(
      {{{.name = "web",
         .targets = {{.url = "http://a/"}, {.url = "http://b/"}},
         .origin = "nginx.conf:1"},
        {.name = "app", .targets = {{.url = "http://a/"}}, .origin = "nginx.conf:2"}},
       {"one note"}},
      Config());
  REQUIRE(found.upstreams.size() == 2);
  const std::vector<std::string> notes = add_discovered(upstreams, std::move(found));
  CHECK(notes == std::vector<std::string>{"one note",
                                          "nginx.conf:1: web http://a/ is configured at a.toml:1"});
  REQUIRE(upstreams.size() == 3);
  CHECK(upstreams[0].origin == "a.toml:1");
  CHECK(upstreams[1].name == "web");
  REQUIRE(upstreams[1].targets.size() == 1);
  CHECK(upstreams[1].targets[0].target.label == "http://b/");
  CHECK(upstreams[2].name == "app");
}

TEST_CASE("discovered upstreams are shared out between shards as the others are") {
  const Directory dir;
  std::string nginx = "http { server {\n";
  for (int i = 0; i < 20; ++i) {
    nginx += "location /" + std::to_string(i) +
             " { proxy_pass http://127.0.0.1:" + std::to_string(8000 + i) + "; }\n";
  }
  dir.write("nginx/nginx.conf", nginx + "} }\n");
  std::size_t found = 0;
  for (const unsigned shard : {0U, 1U}) {
    Config config;
    config.shard = {shard, 2};
    config.discovery.nginx = true;
    config.discovery.nginx_root = dir / "nginx";
    const Loaded loaded = with_discovered(config);
    CHECK(loaded.upstreams.size() > 2);
    CHECK(loaded.upstreams.size() < 18);
    found += loaded.upstreams.size();
  }
  CHECK(found == 20);
}

/// Every key that stands once, with these values.
Config settings(const std::string& text) {
  auto config = read_config({{"a.toml", text}});
  REQUIRE(config);
  return *config;
}

constexpr const char* kOther = R"(
[web]
listen_address = ":1"
[logging]
level = "debug"
format = "json"
[agent]
shard = "1/2"
[limits]
max_series = 5
max_in_flight = 6
max_body = "2KiB"
max_connections = 7
max_connections_per_address = 5
[metrics]
histogram_phases = ["connect"]
buckets = [1]
birth_hold = "1s"
[host]
interval = "1h"
samplers = ["cpu"]
watch_ports = [99]
[discovery]
nginx = true
)";

TEST_CASE("what a reload cannot change is named and stays as it is") {
  const Config in_use = settings("# defaults");
  Config next = settings(kOther);
  CHECK(keep_until_restart(in_use, next) ==
        std::vector<std::string>{
            "web.listen_address", "logging.format", "limits.max_series", "limits.max_connections",
            "limits.max_connections_per_address", "metrics.histogram_phases", "metrics.buckets",
            "metrics.birth_hold", "host.interval", "host.samplers", "host.watch_ports"});
  CHECK(keep_until_restart(in_use, next).empty());  // it is in `next` again
  CHECK(next.logging.level == "debug");
  CHECK(next.shard.count == 2);
  CHECK(next.limits.max_in_flight == 6);
  CHECK(next.limits.probe.max_body == 2048);
  CHECK(next.discovery.nginx);
}

TEST_CASE("a change that waits is named at each reload until it is taken back") {
  const Directory dir;
  RunArguments arguments;
  arguments.config_file = dir.write("agent.toml", "[limits]\nmax_series = 100\n");
  const LoadResult first = load(arguments, nullptr);
  REQUIRE(first);
  CHECK(first->waiting.empty());
  dir.write("agent.toml", "[limits]\nmax_series = 200\n");
  const LoadResult second = load(arguments, &first->config);
  REQUIRE(second);
  CHECK(second->waiting == std::vector<std::string>{"limits.max_series"});
  CHECK(second->config.limits.max_series == 100);
  CHECK(load(arguments, &second->config)->waiting == second->waiting);
  dir.write("agent.toml", "[limits]\nmax_series = 100\n");
  CHECK(load(arguments, &second->config)->waiting.empty());
}

TEST_CASE("the command line wins over the file") {
  const Directory dir;
  RunArguments arguments;
  arguments.config_file = dir.write("agent.toml",
                                    "[web]\nlisten_address = \":1\"\n[logging]\nlevel = \"error\"\n"
                                    "format = \"json\"\n");
  arguments.listen_addresses = {*parse_listen_address(":2")};
  arguments.log_level = "debug";
  arguments.log_format = "logfmt";
  const LoadResult loaded = load(arguments, nullptr);
  REQUIRE(loaded);
  CHECK(loaded->config.web.listen_addresses == arguments.listen_addresses);
  CHECK(loaded->config.logging.level == "debug");
  CHECK(loaded->config.logging.format == "logfmt");
}

}  // namespace
}  // namespace ua
