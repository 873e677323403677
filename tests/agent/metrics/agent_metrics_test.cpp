// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/agent_metrics.h"

#include <prometheus/registry.h>

#include <string>
#include <vector>

#include "agent/exposition/text_writer.h"
#include "tests/catch.h"

namespace ua {
namespace {

std::string page_of(const prometheus::Registry& registry) {
  TextWriter writer(ExpositionFormat::text);
  writer.families(registry.Collect());
  return writer.finish();
}

bool has(const std::string& page, const std::string& line) {
  return page.find('\n' + line + '\n') != std::string::npos;
}

TEST_CASE("counters with a closed set of labels start at 0") {
  prometheus::Registry registry;
  const AgentMetrics metrics(registry);
  const std::string page = page_of(registry);
  std::vector<std::string> lines{R"(upstream_agent_probes_skipped_total{reason="still_running"} 0)",
                                 R"(upstream_agent_probes_skipped_total{reason="max_in_flight"} 0)",
                                 R"(upstream_agent_probes_skipped_total{reason="paused"} 0)"};
  for (std::size_t i = 1; i <= kLocalTroubleCount; ++i) {
    lines.push_back("upstream_agent_local_errors_total{reason=\"" +
                    std::string(name(static_cast<LocalTrouble>(i))) + "\"} 0");
  }
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(has(page, line));
  }
  CHECK(has(page, "upstream_agent_log_dropped_total 0"));
  CHECK(has(page, "upstream_agent_series_dropped_total 0"));
  CHECK(page.find("\nupstream_agent_build_info{") != std::string::npos);
  CHECK(page.find(",version=\"" UA_VERSION "\"} 1\n") != std::string::npos);
}

TEST_CASE("every method moves its own series") {
  prometheus::Registry registry;
  AgentMetrics metrics(registry);
  metrics.observe_loop_lag(20ms);
  metrics.set_probes_in_flight(12);
  metrics.count_skipped(SkipReason::max_in_flight);
  metrics.count_local_error(LocalTrouble::none);
  metrics.count_local_error(LocalTrouble::loop_stalled);
  metrics.set_reload(true, WallTime{1000s});
  metrics.set_reload(false, WallTime{2000s});
  metrics.count_http_request("/metrics", 200);
  metrics.count_http_request("/metrics", 200);
  metrics.set_memory_bound(4096);
  metrics.count_render_errors("host", 3);
  const std::string page = page_of(registry);
  CHECK(has(page, "upstream_agent_loop_lag_seconds_bucket{le=\"0.01\"} 0"));
  CHECK(has(page, "upstream_agent_loop_lag_seconds_bucket{le=\"0.025\"} 1"));
  CHECK(has(page, "upstream_agent_probes_in_flight 12"));
  CHECK(has(page, "upstream_agent_probes_skipped_total{reason=\"max_in_flight\"} 1"));
  CHECK(has(page, "upstream_agent_local_errors_total{reason=\"loop_stalled\"} 1"));
  CHECK(has(page, "upstream_agent_local_errors_total{reason=\"config_invalid\"} 0"));
  CHECK(has(page, "upstream_agent_config_last_reload_successful 0"));
  CHECK(has(page, "upstream_agent_config_last_reload_success_timestamp_seconds 1000"));
  CHECK(has(page, "upstream_agent_http_requests_total{code=\"200\",handler=\"/metrics\"} 2"));
  CHECK(has(page, "upstream_agent_memory_bound_bytes 4096"));
  CHECK(has(page, "upstream_agent_render_errors_total{part=\"host\"} 3"));
}

TEST_CASE("a total kept elsewhere never goes back") {
  prometheus::Registry registry;
  AgentMetrics metrics(registry);
  metrics.set_log_dropped(5);
  metrics.set_log_dropped(3);
  metrics.set_series(10, 100, 7);
  metrics.set_series(8, 100, 7);
  const std::string page = page_of(registry);
  CHECK(has(page, "upstream_agent_log_dropped_total 5"));
  CHECK(has(page, "upstream_agent_series 8"));
  CHECK(has(page, "upstream_agent_series_limit 100"));
  CHECK(has(page, "upstream_agent_series_dropped_total 7"));
}

}  // namespace
}  // namespace ua
