// SPDX-License-Identifier: Apache-2.0
// Metric pages of hostile names, labels and texts, read back by a strict reader.
#include <prometheus/metric_family.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "agent/exposition/escape.h"
#include "agent/exposition/text_writer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/page_reader.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

/// Numbers that matter, or any.
double real(Input& input) {
  constexpr double kKnown[] = {0,        -0.0,      1,  -1, 0.5, 1e6, 1e-4, 9007199254740993.0,
                               HUGE_VAL, -HUGE_VAL, NAN};
  const std::size_t choice = input.below(std::size(kKnown) + 1);
  return choice < std::size(kKnown) ? kKnown[choice] : std::bit_cast<double>(input.word());
}

prometheus::ClientMetric metric(Input& input) {
  prometheus::ClientMetric result;
  for (std::size_t i = input.below(4); i > 0; --i) {
    result.label.push_back({std::string(input.text()), std::string(input.text())});
  }
  result.counter.value = result.gauge.value = result.untyped.value = real(input);
  result.histogram.sample_sum = result.summary.sample_sum = real(input);
  result.histogram.sample_count = result.summary.sample_count = input.byte();
  for (std::size_t i = input.below(5); i > 0; --i) {
    result.histogram.bucket.push_back({input.byte(), real(input)});
    result.summary.quantile.push_back({real(input), real(input)});
  }
  return result;
}

prometheus::MetricFamily family(Input& input) {
  constexpr prometheus::MetricType kTypes[] = {
      prometheus::MetricType::Counter, prometheus::MetricType::Gauge,
      prometheus::MetricType::Summary, prometheus::MetricType::Untyped,
      prometheus::MetricType::Histogram};
  prometheus::MetricFamily result;
  result.type = kTypes[input.below(std::size(kTypes))];
  result.name = input.text();
  result.help = input.text();
  for (std::size_t i = input.below(4); i > 0; --i) result.metric.push_back(metric(input));
  return result;
}

void check_page(const std::vector<prometheus::MetricFamily>& families, ExpositionFormat format) {
  TextWriter writer(format);
  writer.families(families);
  read_page(writer.finish(), format);
}

bool same_number(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

/// One gauge with one label: what is read back is what was written, but for what no page can hold.
void check_read_back(Input& input, ExpositionFormat format) {
  const std::string name(input.text());
  const std::string help(input.text());
  const std::string value(input.text());
  const double number = real(input);
  LabelBlock labels;
  expect(labels.add(name, value), "the first label of a name is taken");
  expect(!labels.add(name, value), "the second label of a name is refused");
  TextWriter writer(format);
  writer.begin_family(name, help, FamilyType::gauge);
  writer.sample(labels.text(), number);
  const auto families = read_page(writer.finish(), format);
  expect(families.size() == 1 && families[0].samples.size() == 1, "one sample is one sample");
  const PageSample& sample = families[0].samples[0];
  expect_same(families[0].help, with_replacements(help, "\n"), "the help is read back");
  expect_same(families[0].name, metric_name(name), "the name is read back");
  expect_same(sample.labels.begin()->first, label_name(name), "the label's name is read back");
  expect_same(sample.labels.begin()->second, with_replacements(value, "\n"),
              "the label's value is read back");
  expect(same_number(sample.value, number), "the number is read back to the bit");
}

void check_names(std::string_view bytes) {
  const std::string metric = metric_name(bytes);
  expect_same(metric_name(metric), metric, "a valid metric name stays as it is");
  const std::string label = label_name(bytes);
  expect_same(label_name(label), label, "a valid label name stays as it is");
}

}  // namespace

void exposition(std::string_view bytes) {
  Input input(bytes);
  const ExpositionFormat format =
      input.coin() ? ExpositionFormat::openmetrics : ExpositionFormat::text;
  if (input.coin()) {
    check_names(bytes);
    check_read_back(input, format);
    return;
  }
  std::vector<prometheus::MetricFamily> families;
  for (std::size_t i = input.below(6); i > 0; --i) families.push_back(family(input));
  check_page(families, format);
}

}  // namespace ua::fuzz
