// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/text_writer.h"

#include <prometheus/metric_family.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace ua {
namespace {

constexpr auto kText = ExpositionFormat::text;
constexpr auto kOpen = ExpositionFormat::openmetrics;

void write_sample_page(TextWriter& writer) {
  writer.begin_family("jobs_total", "Jobs \"done\".\nAll.", FamilyType::counter);
  writer.sample("kind=\"a\"", std::uint64_t{18446744073709551615U});
  writer.sample("kind=\"b\"", 1.5);
  writer.begin_family("empty", "Never seen.", FamilyType::gauge);
  writer.begin_family("temperature", "Now.", FamilyType::gauge);
  writer.sample("", -0.25);
  writer.begin_family("wait_seconds", "How long.", FamilyType::histogram);
  writer.sample("_bucket", "job=\"x\"", "le=\"1.0\"", std::uint64_t{2});
  writer.sample("_bucket", "job=\"x\"", "le=\"+Inf\"", std::uint64_t{3});
  writer.sample("_sum", "job=\"x\"", "", 4.5);
  writer.sample("_count", "job=\"x\"", "", std::uint64_t{3});
  writer.begin_family("odd", "", FamilyType::unknown);
  writer.sample({}, "", "only=\"more\"", 1.0);
}

TEST_CASE("the text format page") {
  TextWriter writer(kText);
  write_sample_page(writer);
  CHECK(writer.finish() == R"(# HELP jobs_total Jobs "done".\nAll.
# TYPE jobs_total counter
jobs_total{kind="a"} 18446744073709551615
jobs_total{kind="b"} 1.5
# HELP temperature Now.
# TYPE temperature gauge
temperature -0.25
# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{job="x",le="1.0"} 2
wait_seconds_bucket{job="x",le="+Inf"} 3
wait_seconds_sum{job="x"} 4.5
wait_seconds_count{job="x"} 3
# TYPE odd untyped
odd{only="more"} 1
)");
}

TEST_CASE("the OpenMetrics page") {
  TextWriter writer(kOpen);
  write_sample_page(writer);
  CHECK(writer.finish() == R"(# HELP jobs Jobs \"done\".\nAll.
# TYPE jobs counter
jobs_total{kind="a"} 18446744073709551615
jobs_total{kind="b"} 1.5
# HELP temperature Now.
# TYPE temperature gauge
temperature -0.25
# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{job="x",le="1.0"} 2
wait_seconds_bucket{job="x",le="+Inf"} 3
wait_seconds_sum{job="x"} 4.5
wait_seconds_count{job="x"} 3
# TYPE odd unknown
odd{only="more"} 1
# EOF
)");
}

TEST_CASE("a counter's samples end in _total in both formats") {
  TextWriter writer(kText);
  writer.begin_family("hits", "Hits.", FamilyType::counter);
  writer.sample("", std::uint64_t{1});
  CHECK(writer.finish() == "# HELP hits_total Hits.\n# TYPE hits_total counter\nhits_total 1\n");
}

TEST_CASE("a family whose sample names clash with an earlier one is left out") {
  TextWriter writer(kText);
  REQUIRE(writer.begin_family("wait", "", FamilyType::histogram));
  writer.sample("_sum", "", "", 1.0);
  CHECK_FALSE(writer.begin_family("wait", "", FamilyType::gauge));
  writer.sample("", 1.0);
  CHECK_FALSE(writer.begin_family("wait_count", "", FamilyType::gauge));
  CHECK(writer.begin_family("waits", "", FamilyType::gauge));
  CHECK(writer.refused() == 1);
  REQUIRE(writer.begin_family("hits", "", FamilyType::counter));
  CHECK_FALSE(writer.begin_family("hits_total", "", FamilyType::counter));
  CHECK(writer.finish() == "# TYPE wait histogram\nwait_sum 1\n");
}

double round_trip(double value) {
  TextWriter writer(kText);
  writer.begin_family("x", "", FamilyType::gauge);
  writer.sample("", value);
  const std::string page = writer.finish();
  return std::strtod(page.c_str() + page.find("\nx ") + 3, nullptr);
}

TEST_CASE("doubles round-trip bit by bit") {
  using Limits = std::numeric_limits<double>;
  std::vector<double> values{0.0,
                             -0.0,
                             0.1 + 0.2,
                             9007199254740991.0,
                             9007199254740992.0,
                             9007199254740993.0,
                             -9007199254740992.0,
                             Limits::max(),
                             Limits::lowest(),
                             Limits::min(),
                             Limits::denorm_min(),
                             -Limits::denorm_min(),
                             Limits::infinity(),
                             -Limits::infinity(),
                             1764050400.123456789};
  std::mt19937_64 random(20250101);
  for (int i = 0; i < 10'000; ++i) values.push_back(std::bit_cast<double>(random()));
  for (const double value : values) {
    const double back = round_trip(value);
    const bool same = std::isnan(value) ? std::isnan(back)
                                        : std::bit_cast<std::uint64_t>(back) ==
                                              std::bit_cast<std::uint64_t>(value);
    if (!same) {
      CAPTURE(value, back);
      FAIL("does not round-trip");
    }
  }
}

TEST_CASE("special values have the names of the format") {
  TextWriter writer(kText);
  writer.begin_family("x", "", FamilyType::gauge);
  writer.sample("v=\"1\"", std::numeric_limits<double>::infinity());
  writer.sample("v=\"2\"", -std::numeric_limits<double>::infinity());
  writer.sample("v=\"3\"", -std::numeric_limits<double>::quiet_NaN());
  CHECK(writer.finish() == "# TYPE x gauge\nx{v=\"1\"} +Inf\nx{v=\"2\"} -Inf\nx{v=\"3\"} NaN\n");
}

prometheus::MetricFamily family(prometheus::MetricType type,
                                std::vector<prometheus::ClientMetric> metrics) {
  prometheus::MetricFamily result;
  result.name = "f";
  result.help = "F.";
  result.type = type;
  result.metric = std::move(metrics);
  return result;
}

TEST_CASE("prometheus-cpp families come sorted by labels and without duplicates") {
  prometheus::ClientMetric b;
  b.label = {{"x", "b"}, {"a", "1"}};
  b.gauge.value = 2;
  prometheus::ClientMetric a = b;
  a.label = {{"x", "a"}, {"a", "1"}, {"a", "2"}};
  prometheus::ClientMetric again = b;
  again.label = {{"a", "1"}, {"x", "b"}};
  TextWriter writer(kText);
  writer.families({family(prometheus::MetricType::Gauge, {b, a, again})});
  CHECK(writer.refused() == 1);
  CHECK(writer.finish() ==
        "# HELP f F.\n# TYPE f gauge\nf{a=\"1\",x=\"a\"} 2\nf{a=\"1\",x=\"b\"} 2\n");
}

TEST_CASE("labels are sorted by the names that are shown") {
  prometheus::ClientMetric a;
  a.label = {{"", "1"}, {"-b", "2"}};
  prometheus::ClientMetric b;
  b.label = {{"-b", "2"}, {"_", "1"}};
  TextWriter writer(kText);
  writer.families({family(prometheus::MetricType::Gauge, {a, b})});
  CHECK(writer.refused() == 1);
  CHECK(writer.finish() == "# HELP f F.\n# TYPE f gauge\nf{_=\"1\",_b=\"2\"} 0\n");
}

TEST_CASE("a histogram is completed with +Inf and stays cumulative") {
  prometheus::ClientMetric metric;
  metric.label = {{"le", "mine"}, {"k", "v"}};
  metric.histogram.bucket = {{5, 2.0}, {7, 0.5}, {6, 0.5}};
  metric.histogram.sample_count = 9;
  metric.histogram.sample_sum = 3.25;
  TextWriter writer(kOpen);
  writer.families({family(prometheus::MetricType::Histogram, {metric})});
  CHECK(writer.finish() == R"(# HELP f F.
# TYPE f histogram
f_bucket{k="v",le="0.5"} 7
f_bucket{k="v",le="2.0"} 7
f_bucket{k="v",le="+Inf"} 9
f_sum{k="v"} 3.25
f_count{k="v"} 9
# EOF
)");
}

TEST_CASE("a summary has its quantiles, sum and count") {
  prometheus::ClientMetric metric;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  metric.summary.quantile = {{0.5, 1}, {0.99, 2}, {kNone, 4}, {0.75, 3}, {1.5, 3}};
  metric.summary.sample_count = 4;
  metric.summary.sample_sum = 5;
  TextWriter writer(kText);
  writer.families({family(prometheus::MetricType::Summary, {metric})});
  CHECK(writer.refused() == 2);
  CHECK(writer.finish() == R"(# HELP f F.
# TYPE f summary
f{quantile="0.5"} 1
f{quantile="0.75"} 3
f{quantile="0.99"} 2
f_sum 5
f_count 4
)");
}

TEST_CASE("a sample longer than the stage is written whole") {
  const std::string labels = "x=\"" + std::string(1 << 20, 'y') + "\"";
  TextWriter writer(kText);
  writer.begin_family("x", "", FamilyType::gauge);
  writer.sample(labels, 1.0);
  CHECK(writer.finish() == "# TYPE x gauge\nx{" + labels + "} 1\n");
}

}  // namespace
}  // namespace ua
