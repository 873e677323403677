// SPDX-License-Identifier: Apache-2.0
// Renders a page that has every family, and makes the reference of the metrics of it.
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "agent/metrics/host_metrics.h"
#include "agent/metrics/page.h"
#include "agent/metrics/process_metrics.h"
#include "agent/web/router.h"
#include "tests/catch.h"
#include "tests/generated.h"

namespace ua {
namespace {

Outcome everything() {
  Outcome outcome;
  for (const TimedPhase phase :
       {TimedPhase::dns, TimedPhase::connect, TimedPhase::tls, TimedPhase::request,
        TimedPhase::response_headers, TimedPhase::response_body, TimedPhase::total}) {
    outcome.times.set(phase, 1ms);
  }
  outcome.addresses = 1;
  outcome.http = HttpFacts{.status_code = 200, .version = 1.1, .body_bytes = 1, .redirects = 0};
  outcome.tls.emplace();
  outcome.tls->verified = true;
  outcome.tls->version = "TLSv1.3";
  outcome.tls->cipher = "c";
  outcome.tls->certificate = Certificate{.subject = "s", .issuer = "i", .fingerprint_sha256 = "f"};
  return outcome;
}

HostSnapshot whole_host() {
  HostSnapshot host;
  host.cpu.emplace();
  host.load.emplace();
  host.memory = MemoryInfo{1, 1, 1, 1, 1, 1, 1};
  for (const char* resource : {"cpu", "io", "memory"}) host.pressure[resource] = {1.0, 1.0};
  host.oom_kills = 0;
  host.connections.emplace();
  host.connections->by_port[80].fill(1);
  host.connections->queues[80] = {1, 1};
  host.tcp = TcpCounters{1, 1, 1, 1, 1, 1, 1, 1, 1};
  host.ports = EphemeralPorts{1, 1, 1};
  host.conntrack.emplace().limit = 1;
  host.descriptors.emplace();
  host.network.emplace().interfaces["eth0"] = {};
  host.filesystems.emplace().mounts["/"] = {"/dev/vda", "ext4", 1, 1, 1, 1, false};
  host.paging = Paging{1, 1, 1};
  host.boot_time = 1;
  for (const std::string& sampler : HostConfig{}.samplers) host.runs.push_back({sampler, true});
  return host;
}

std::string whole_page() {
  prometheus::Registry registry;
  AgentMetrics agent(registry);
  ProbeStore store({}, 1000);
  const auto row = store.add({.upstream = "u",
                              .target = "https://a:443/",
                              .address = {},
                              .type = "http",
                              .service = "s",
                              .labels = {},
                              .interval = 1s});
  const Outcome outcome = everything();
  store.record(*row, {.outcome = outcome,
                      .verdict = Verdict::up,
                      .when = WallTime{1s},
                      .state_change = WallTime{1s},
                      .last_success = WallTime{1s},
                      .observe_latency = true,
                      .now = Time{1s}});
  agent.count_http_request("/metrics", 200);
  agent.count_render_errors("host", 1);
  agent.set_web_certificate(std::chrono::sys_seconds(1s));
  MetricsPage page(store, agent, registry, [] { return Time{1s}; });
  const HostMetrics host([] { return std::make_shared<const HostSnapshot>(whole_host()); });
  const ProcessMetrics process(WallTime{1s});
  page.add_part("host", host);
  page.add_part("process", process);
  return page.render(ExpositionFormat::text);
}

struct Family {
  std::string type;
  std::string help;
  std::set<std::string> labels;
  std::map<std::string, std::set<std::string>> values;
};

/// Of a sample line, into its family.
void take_labels(const std::string& line, Family& family) {
  std::size_t at = line.find('{');
  if (at == std::string::npos || at > line.find(' ')) return;
  while (line[at] != '}') {
    const std::size_t equals = line.find('=', at);
    const std::string label = line.substr(at + 1, equals - at - 1);
    const std::size_t end = line.find('"', equals + 2);
    if (label != "le") {
      family.labels.insert(label);
      family.values[label].insert(line.substr(equals + 2, end - equals - 2));
    }
    at = end + 1;
  }
}

std::vector<std::pair<std::string, Family>> families_of(const std::string& page) {
  std::vector<std::pair<std::string, Family>> result;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      const std::size_t space = line.find(' ', 7);
      result.push_back({line.substr(7, space - 7), {.help = line.substr(space + 1)}});
    } else if (line.starts_with("# TYPE ")) {
      result.back().second.type = line.substr(line.rfind(' ') + 1);
    } else {
      take_labels(line, result.back().second);
    }
  }
  return result;
}

std::string words(const std::set<std::string>& all) {
  std::string result;
  for (const std::string& word : all) result += (result.empty() ? "`" : " `") + word + '`';
  return result;
}

/// All of a target's series have these, and the configured ones.
bool stands_on_every_target(const std::string& label) {
  return label == "upstream" || label == "target";
}

std::string table(const std::string& prefix, bool probes) {
  std::string result = "| series | type | labels | meaning |\n|---|---|---|---|\n";
  std::size_t rows = 0;
  for (const auto& [name, family] : families_of(whole_page())) {
    const bool of_target = family.labels.contains("upstream");
    if (!name.starts_with(prefix) || of_target != probes) continue;
    std::set<std::string> labels;
    for (const std::string& label : family.labels) {
      if (!stands_on_every_target(label)) labels.insert(label);
    }
    result +=
        "| `" + name + "` | " + family.type + " | " + words(labels) + " | " + family.help + " |\n";
    ++rows;
  }
  CHECK(rows > 5);
  return result;
}

std::string values_of(const std::string& family, const std::string& label) {
  for (const auto& [name, found] : families_of(whole_page())) {
    if (name == family) return words(found.values.at(label));
  }
  throw std::runtime_error("no family " + family);
}

std::string closed_sets() {
  std::set<std::string> phases;
  for (const ErrorClassInfo& row : catalogue()) phases.insert(std::string(name(row.phase)));
  std::set<std::string> paths;
  for (const RouteRow& row : route_rows()) paths.insert(std::string(row.path));
  paths.insert("other");
  const auto row = [](const std::string& label, const std::string& where,
                      const std::string& values) {
    return "| `" + label + "` | " + where + " | " + values + " |\n";
  };
  const auto of = [&](const std::string& family, const std::string& label) {
    return row(label, '`' + family + '`', values_of(family, label));
  };
  return "| label | of | values |\n|---|---|---|\n" +
         row("error_class", "`upstream_probe_errors_total`",
             "see [error classes](error-classes.md)") +
         row("phase", "`upstream_probe_errors_total`", words(phases)) +
         of("upstream_probe_last_duration_seconds", "phase") +
         of("host_cpu_seconds_total", "mode") +
         of("host_pressure_waiting_seconds_total", "resource") +
         of("host_tcp_connections", "state") + of("upstream_agent_collector_success", "collector") +
         of("upstream_agent_local_errors_total", "reason") +
         of("upstream_agent_probes_skipped_total", "reason") +
         row("handler", "`upstream_agent_http_requests_total`", words(paths));
}

TEST_CASE("the reference of the metrics is up to date", "[generated]") {
  test::check_generated("metrics.md", "target series", table("upstream_", true));
  test::check_generated("metrics.md", "host series", table("host_", false));
  test::check_generated("metrics.md", "agent series", table("upstream_", false));
  test::check_generated("metrics.md", "process series", table("process_", false));
  test::check_generated("metrics.md", "closed sets", closed_sets());
}

}  // namespace
}  // namespace ua
