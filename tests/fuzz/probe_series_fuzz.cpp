// SPDX-License-Identifier: Apache-2.0
// The probe series of hostile upstreams: rows come, get results and go; the pages are read back by
// a strict reader.
#include <prometheus/metric_family.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agent/exposition/text_writer.h"
#include "agent/metrics/probe_store.h"
#include "collectors/probes/probe_types.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/outcomes.h"
#include "tests/fuzz/page_reader.h"

namespace ua::fuzz {
namespace {

constexpr int kSteps = 6;  // each makes two pages
constexpr WallTime kWall{std::chrono::hours(24 * 365 * 56)};

using Rows = std::array<std::optional<ProbeStore::Row>, 3>;
using Series = std::map<std::pair<std::string, std::map<std::string, std::string>>, double>;

ProbeStore::RowSpec make_spec(Input& input) {
  ProbeStore::RowSpec spec;
  const Target target = make_target(input);
  spec.upstream = input.text();
  spec.target = target.label;
  spec.address = input.text();
  spec.type = find_probe_type(target.scheme)->name;
  spec.service = input.text();
  for (std::size_t i = input.below(3); i > 0; --i) {
    spec.labels.emplace_back(input.text(), input.text());
  }
  spec.interval = std::chrono::milliseconds(100 + input.byte());
  return spec;
}

void record(ProbeStore& store, ProbeStore::Row row, Input& input, Time now) {
  const Outcome outcome = make_outcome(input);
  const auto verdict = static_cast<Verdict>(input.below(3));
  std::optional<WallTime> change;
  if (input.coin()) change = kWall - std::chrono::seconds(input.byte());
  std::optional<WallTime> success;
  if (input.coin()) success = kWall - std::chrono::seconds(input.byte());
  store.record(row, {outcome, verdict, kWall, change, success, input.coin(), now});
}

std::string page_of(const ProbeStore& store, ExpositionFormat format, Time now) {
  TextWriter writer(format);
  store.render(writer, now);
  expect(writer.refused() == 0, "no series of ours is refused");
  return writer.finish();
}

std::size_t count(const std::vector<PageFamily>& families) {
  std::size_t result = 0;
  for (const PageFamily& family : families) result += family.samples.size();
  return result;
}

bool is_counter(const PageFamily& family, const PageSample& sample) {
  return family.type == "counter" || sample.name.ends_with("_bucket") ||
         sample.name.ends_with("_count");
}

Series counters(const std::vector<PageFamily>& families) {
  Series result;
  for (const PageFamily& family : families) {
    for (const PageSample& sample : family.samples) {
      if (is_counter(family, sample)) result[{sample.name, sample.labels}] = sample.value;
    }
  }
  return result;
}

Series all_series(const std::vector<PageFamily>& families) {
  Series result;
  for (const PageFamily& family : families) {
    for (const PageSample& sample : family.samples) {
      result[{sample.name, sample.labels}] = sample.value;
    }
  }
  return result;
}

std::vector<PageFamily> page(const ProbeStore& store, Time now) {
  return read_page(page_of(store, ExpositionFormat::text, now), ExpositionFormat::text);
}

void check_pages(const ProbeStore& store, Time now) {
  for (const auto format : {ExpositionFormat::openmetrics, ExpositionFormat::text}) {
    const std::string page = page_of(store, format, now);
    expect(bytes_of_series(page) <= store.page_bytes(), "series take what was told, at most");
    expect(count(read_page(page, format)) <= store.series(),
           "series are as many as was told, at most");
  }
  expect(store.series() <= store.series_limit(), "series stay within their limit");
  TextWriter model(ExpositionFormat::text);
  model.families(store.collect(now));
  expect(
      all_series(read_page(model.finish(), ExpositionFormat::text)) == all_series(page(store, now)),
      "prometheus-cpp's model has the same series");
}

void check_counted(const Series& before, const Series& after) {
  for (const auto& [series, value] : before) {
    const auto now = after.find(series);
    expect(now != after.end(), "a counter stays while its row does");
    expect(now->second >= value, "a counter never steps back");
  }
}

void step(ProbeStore& store, Rows& rows, Input& input, Time now) {
  auto& row = rows[input.below(rows.size())];
  const std::size_t what = input.below(5);
  if (!row) {
    row = store.add(make_spec(input));
  } else if (what == 0) {
    store.remove(*std::exchange(row, std::nullopt));
  } else if (what == 1) {
    store.describe(*row, make_spec(input));
  } else {
    const Series before = counters(page(store, now));
    record(store, *row, input, now);
    check_counted(before, counters(page(store, now)));
  }
}

}  // namespace

void probe_series(std::string_view bytes) {
  Input input(bytes);
  MetricsConfig config;
  if (input.coin()) config.histogram_phases.push_back(TimedPhase::tls);
  ProbeStore store(config, input.coin() ? 1'000'000 : 20 + input.byte());
  Rows rows;
  Time now{1000s};
  for (int i = 0; i < kSteps && !input.empty(); ++i) {
    step(store, rows, input, now);
    now += std::chrono::seconds(input.byte());
  }
  check_pages(store, now);
  for (auto& row : rows) {
    if (row) store.remove(*row);
  }
  expect(store.series() == 0 && store.page_bytes() == 0, "what is removed leaves nothing");
  expect_same(page_of(store, ExpositionFormat::text, now), "", "what is removed is not shown");
}

}  // namespace ua::fuzz
