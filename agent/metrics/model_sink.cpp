// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/model_sink.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace ua {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricType type_of(FamilyType type) {
  switch (type) {
    case FamilyType::counter:
      return prometheus::MetricType::Counter;
    case FamilyType::gauge:
      return prometheus::MetricType::Gauge;
    case FamilyType::histogram:
      return prometheus::MetricType::Histogram;
    case FamilyType::summary:
      return prometheus::MetricType::Summary;
    case FamilyType::unknown:
      break;
  }
  return prometheus::MetricType::Untyped;
}

/// The value that `text` begins with, up to its closing quote; `text` is moved behind it.
std::string take_value(std::string_view& text) {
  std::string value;
  while (!text.empty() && text.front() != '"') {
    if (text.front() == '\\' && text.size() > 1) {
      text.remove_prefix(1);
      value += text.front() == 'n' ? '\n' : text.front();
    } else {
      value += text.front();
    }
    text.remove_prefix(1);
  }
  text.remove_prefix(std::min<std::size_t>(1, text.size()));
  return value;
}

/// Reads `a="x",b="y"`, as a LabelBlock makes it.
void read_labels(std::string_view block, Labels& labels) {
  while (!block.empty()) {
    if (block.front() == ',') block.remove_prefix(1);
    const std::size_t equals = block.find("=\"");
    if (equals == std::string_view::npos) return;
    prometheus::ClientMetric::Label label;
    label.name = block.substr(0, equals);
    block.remove_prefix(equals + 2);
    label.value = take_value(block);
    labels.push_back(std::move(label));
  }
}

double read_bound(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

}  // namespace

bool ModelSink::begin_family(std::string_view name, std::string_view help, FamilyType type) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type_of(type);
  families_.push_back(std::move(family));
  return true;
}

void ModelSink::sample(std::string_view suffix, std::string_view labels,
                       std::string_view more_labels, std::uint64_t value) {
  sample(suffix, labels, more_labels, static_cast<double>(value));
}

void ModelSink::sample(std::string_view suffix, std::string_view labels,
                       std::string_view more_labels, double value) {
  prometheus::MetricFamily& family = families_.back();
  Labels all;
  read_labels(labels, all);
  read_labels(more_labels, all);
  if (family.type == prometheus::MetricType::Histogram) {
    histogram_sample(suffix, std::move(all), value);
    return;
  }
  prometheus::ClientMetric metric;
  metric.label = std::move(all);
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

void ModelSink::histogram_sample(std::string_view suffix, Labels labels, double value) {
  auto& metrics = families_.back().metric;
  double bound = 0;
  if (suffix == "_bucket") {
    bound = read_bound(labels.back().value);  // `le` is written last
    labels.pop_back();
  }
  if (metrics.empty() || metrics.back().label != labels) {
    metrics.emplace_back().label = std::move(labels);
  }
  auto& histogram = metrics.back().histogram;
  if (suffix == "_bucket") {
    histogram.bucket.push_back({static_cast<std::uint64_t>(value), bound});
  } else if (suffix == "_sum") {
    histogram.sample_sum = value;
  } else {
    histogram.sample_count = static_cast<std::uint64_t>(value);
  }
}

std::vector<prometheus::MetricFamily> ModelSink::take() {
  std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
  return std::move(families_);
}

}  // namespace ua
