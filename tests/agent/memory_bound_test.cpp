// SPDX-License-Identifier: Apache-2.0
#include "agent/memory_bound.h"

#include <string>

#include "agent/exposition/text_writer.h"
#include "agent/metrics/probe_store.h"
#include "tests/catch.h"

namespace ua {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

Config config_of(const std::string& content) { return read_config({{"a.toml", content}}).value(); }

std::uint64_t bound(const std::string& content) { return memory_bound_bytes(config_of(content)); }

std::string upstream(const std::string& name, const std::string& more = "") {
  return "[[upstream]]\nname = \"" + name + "\"\ntargets = \"http://a/\"\n" + more + "\n";
}

std::string many_upstreams(int count, const std::string& more = "") {
  std::string result;
  for (int i = 0; i < count; ++i) result += upstream("upstream" + std::to_string(i), more);
  return result;
}

TEST_CASE("the memory bound follows what is configured") {
  const std::uint64_t empty = bound("");
  const std::uint64_t own_page = 2000 * (112 + 48);
  CHECK(empty == 32 * kMiB + 2000 * 64 + 64 * 64 * kKiB + 16 * kMiB + 9 * own_page);
  const std::uint64_t one = bound(upstream("x")) - empty;
  CHECK(one > 30 * kKiB);
  CHECK(one < 100 * kKiB);
  CHECK(bound(upstream("x") + upstream("y")) == empty + 2 * one);
  // A body that must match is kept whole, of as many probes as may run at a time.
  const std::string body = "[upstream.http]\nexpect_body = \"a\"\n";
  CHECK(bound(upstream("x", body)) == empty + one + kMiB);
  CHECK(bound(upstream("x", body) + upstream("y", body) + "[limits]\nmax_in_flight = 1\n") ==
        empty + 2 * one - 24 * kKiB + kMiB);
  CHECK(bound("[limits]\nmax_series = 1\nmax_connections = 1\n") ==
        32 * kMiB + 64 + 64 * kKiB + 16 * kMiB + 9 * (112 + 48));
  CHECK(bound(upstream("x") + "[agent]\nshard = \"0/2\"\n") +
            bound(upstream("x") + "[agent]\nshard = \"1/2\"\n") ==
        2 * empty + one);
}

TEST_CASE("the memory bound knows the series that a target can have") {
  const std::uint64_t one = bound(upstream("x")) - bound("");
  CHECK(bound(upstream("x", "addresses = \"all\"")) - bound("") > 10 * (one - 30 * kKiB));
  const std::string phases =
      "[metrics]\nhistogram_phases = [\"dns\", \"connect\", \"request\", \"total\"]\n";
  CHECK(bound(upstream("x") + phases) > bound(upstream("x")) + 36 * 64);
  CHECK(bound(upstream("x", "labels = { team = \"" + std::string(100, 'x') + "\" }")) >
        bound(upstream("x")) + 45 * 100);
}

TEST_CASE("the memory bound has room for as many pages as may be held, shared and made") {
  const std::string content = many_upstreams(3000, "labels = { team = \"payments\" }") +
                              "[metrics]\nhistogram_phases = [\"connect\", \"total\"]\n";
  const Config config = config_of(content);
  ProbeStore store(config.metrics, config.limits.max_series);
  for (const UpstreamConfig& upstream : config.upstreams) {
    store.add({.upstream = upstream.name,
               .target = upstream.targets[0].target.label,
               .address = {},
               .type = "http",
               .service = {},
               .labels = upstream.labels,
               .interval = 1s});
  }
  const std::uint64_t page = store.page_bytes();
  REQUIRE(page > 10 * kMiB);
  CHECK(memory_bound_bytes(config) > bound("") - 16 * kMiB + 3000 * 30 * kKiB + 5 * page);
  CHECK(memory_bound_bytes(config) < bound("") + 3000 * 30 * kKiB + 7 * page);
}

}  // namespace
}  // namespace ua
