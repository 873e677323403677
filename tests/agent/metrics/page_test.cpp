// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/page.h"

#include <prometheus/metric_family.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace ua {
namespace {

class Broken : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    throw std::runtime_error("broken on purpose");
  }
};

class Gauge : public prometheus::Collectable {
 public:
  explicit Gauge(std::string name) : name_(std::move(name)) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::MetricFamily family;
    family.name = name_;
    family.help = "G.";
    family.type = prometheus::MetricType::Gauge;
    family.metric.emplace_back().gauge.value = 3;
    return {family};
  }

 private:
  std::string name_;
};

struct Fixture {
  prometheus::Registry registry;
  AgentMetrics agent{registry};
  ProbeStore store{{}, 1000};
  MetricsPage page{store, agent, registry, [] { return Time{}; }};

  Fixture() {
    store.add({.upstream = "shop",
               .target = "tcp://a:1",
               .address = {},
               .type = "tcp",
               .service = {},
               .labels = {},
               .interval = 1s});
  }
};

bool has(const std::string& page, const std::string& line) {
  return page.find('\n' + line + '\n') != std::string::npos;
}

TEST_CASE("a page has the probe series, the parts and the agent's own series") {
  Fixture f;
  const Gauge host("host_load1");
  f.page.add_part("host", host);
  const std::string text = f.page.render(ExpositionFormat::text);
  CHECK(has(text, "upstream_probe_attempts_total{upstream=\"shop\",target=\"tcp://a:1\"} 0"));
  CHECK(has(text, "host_load1 3"));
  CHECK(has(text, "upstream_agent_series " + std::to_string(f.store.series())));
  CHECK(has(text, "upstream_agent_series_limit 1000"));
  CHECK(has(text, "upstream_agent_render_errors_total{part=\"host\"} 0"));
  CHECK(has(text, "upstream_agent_render_errors_total{part=\"probes\"} 0"));
  const std::string open = f.page.render(ExpositionFormat::openmetrics);
  CHECK(open.ends_with("\n# EOF\n"));
  CHECK(has(open, "# TYPE upstream_probe_attempts counter"));
}

TEST_CASE("a part that throws is left out and counted; the others are there") {
  Fixture f;
  const Broken broken;
  const Gauge after("host_load1");
  f.page.add_part("broken", broken);
  f.page.add_part("after", after);
  const std::string page = f.page.render(ExpositionFormat::text);
  CHECK(has(page, "host_load1 3"));
  CHECK(has(page, "upstream_agent_render_errors_total{part=\"broken\"} 1"));
  CHECK(has(page, "upstream_agent_render_errors_total{part=\"after\"} 0"));
}

TEST_CASE("a part that repeats a family is left out and counted under its own name") {
  Fixture f;
  const Gauge first("host_load1");
  const Gauge second("host_load1");
  f.page.add_part("first", first);
  f.page.add_part("second", second);
  const std::string page = f.page.render(ExpositionFormat::text);
  CHECK(page.find("host_load1 3") == page.rfind("host_load1 3"));
  CHECK(has(page, "upstream_agent_render_errors_total{part=\"first\"} 0"));
  CHECK(has(page, "upstream_agent_render_errors_total{part=\"second\"} 1"));
}

}  // namespace
}  // namespace ua
