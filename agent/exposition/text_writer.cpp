// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/text_writer.h"

#include <prometheus/metric_family.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "agent/exposition/escape.h"

namespace ua {
namespace {

constexpr std::size_t kStageBytes = std::size_t{128} * 1024;
constexpr std::string_view kTotal = "_total";
/// The longest number: "-2.2250738585072014e-308".
constexpr std::size_t kNumberBytes = 32;

/// Names that the samples of a family may have, added to its base; OpenMetrics forbids any of them
/// to be the name of another family.
std::span<const std::string_view> suffixes(FamilyType type) {
  static constexpr std::array<std::string_view, 3> kCounter{"", kTotal, "_created"};
  static constexpr std::array<std::string_view, 5> kHistogram{"", "_bucket", "_sum", "_count",
                                                              "_created"};
  static constexpr std::array<std::string_view, 4> kSummary{"", "_sum", "_count", "_created"};
  static constexpr std::array<std::string_view, 1> kSingle{""};
  switch (type) {
    case FamilyType::counter:
      return kCounter;
    case FamilyType::histogram:
      return kHistogram;
    case FamilyType::summary:
      return kSummary;
    case FamilyType::gauge:
    case FamilyType::unknown:
      break;
  }
  return kSingle;
}

std::string_view type_word(FamilyType type, ExpositionFormat format) {
  switch (type) {
    case FamilyType::counter:
      return "counter";
    case FamilyType::gauge:
      return "gauge";
    case FamilyType::histogram:
      return "histogram";
    case FamilyType::summary:
      return "summary";
    case FamilyType::unknown:
      break;
  }
  return format == ExpositionFormat::openmetrics ? "unknown" : "untyped";
}

FamilyType type_of(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return FamilyType::counter;
    case prometheus::MetricType::Gauge:
      return FamilyType::gauge;
    case prometheus::MetricType::Histogram:
      return FamilyType::histogram;
    case prometheus::MetricType::Summary:
      return FamilyType::summary;
    case prometheus::MetricType::Untyped:
      break;
  }
  return FamilyType::unknown;
}

/// Asks for 2 MiB pages under a large page of metrics. Its memory is new at each scrape, and with
/// 4 KiB pages the faults cost as much as all the rendering. Advice: where it fails nothing
/// changes.
void use_huge_pages(std::string& page) {
  constexpr std::uintptr_t kHuge = std::uintptr_t{2} * 1024 * 1024;
  constexpr std::size_t kWorthIt = 4 * kHuge;
  if (page.capacity() < kWorthIt) return;
  char* const data = page.data();
  const std::size_t skip = (kHuge - reinterpret_cast<std::uintptr_t>(data) % kHuge) % kHuge;
  const std::size_t size = (page.capacity() - skip) / kHuge * kHuge;
  ::madvise(data + skip, size, MADV_HUGEPAGE);
}

char* put(char* to, std::string_view text) { return std::copy(text.begin(), text.end(), to); }

char* put_number(char* to, std::uint64_t value) {
  return std::to_chars(to, to + kNumberBytes, value).ptr;
}

char* put_number(char* to, double value) {
  // Most gauges are whole numbers, which integer to_chars writes five times as fast.
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::fabs(value) < kExact) {
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value))) {
      return std::to_chars(to, to + kNumberBytes, whole).ptr;
    }
  }
  if (std::isnan(value)) return put(to, "NaN");
  if (std::isinf(value)) return put(to, value > 0 ? "+Inf" : "-Inf");
  return std::to_chars(to, to + kNumberBytes, value).ptr;
}

std::string_view own_label(FamilyType type) {
  if (type == FamilyType::histogram) return "le";
  if (type == FamilyType::summary) return "quantile";
  return {};
}

/// Sorted by the names that are shown, so that equal sets of labels give equal blocks.
std::string label_text(const prometheus::ClientMetric& metric, FamilyType type) {
  auto labels = metric.label;
  for (auto& label : labels) label.name = label_name(label.name);
  std::sort(labels.begin(), labels.end());
  LabelBlock block;
  for (const auto& label : labels) {
    if (label.name != own_label(type)) block.add(label.name, label.value);
  }
  return block.text();
}

std::string bound_label(std::string_view label, double bound) {
  LabelBlock block;
  block.add(label, bound_text(bound));
  return block.text();
}

}  // namespace

TextWriter::TextWriter(ExpositionFormat format, std::size_t size_hint)
    : format_(format),
      stage_(std::make_unique_for_overwrite<char[]>(kStageBytes)),
      stage_size_(kStageBytes) {
  page_.reserve(size_hint);
  use_huge_pages(page_);
}

bool TextWriter::begin_family(std::string_view name, std::string_view help, FamilyType type) {
  flush();
  base_ = metric_name(name);
  if (type == FamilyType::counter && base_.ends_with(kTotal) && base_.size() > kTotal.size()) {
    base_.resize(base_.size() - kTotal.size());
  }
  sample_name_ = base_;
  if (type == FamilyType::counter) sample_name_ += kTotal;
  help_ = help;
  type_ = type;
  const auto endings = suffixes(type);
  accepted_ = std::none_of(endings.begin(), endings.end(), [this](std::string_view ending) {
    return taken_.contains(base_ + std::string(ending));
  });
  header_due_ = accepted_;
  if (accepted_) {
    for (const std::string_view ending : endings) taken_.insert(base_ + std::string(ending));
  }
  return accepted_;
}

void TextWriter::sample(std::string_view suffix, std::string_view labels,
                        std::string_view more_labels, double value) {
  write(suffix, labels, more_labels, value);
}

void TextWriter::sample(std::string_view suffix, std::string_view labels,
                        std::string_view more_labels, std::uint64_t value) {
  write(suffix, labels, more_labels, value);
}

template <typename Number>
void TextWriter::write(std::string_view suffix, std::string_view labels,
                       std::string_view more_labels, Number value) {
  if (!accepted_) {
    ++refused_;
    return;
  }
  if (header_due_) write_header();
  constexpr std::size_t kPunctuation = 8;
  char* const begin = room(sample_name_.size() + suffix.size() + labels.size() +
                           more_labels.size() + kPunctuation + kNumberBytes);
  char* to = put(put(begin, sample_name_), suffix);
  if (!labels.empty() || !more_labels.empty()) {
    *to++ = '{';
    to = put(to, labels);
    if (!labels.empty() && !more_labels.empty()) *to++ = ',';
    to = put(to, more_labels);
    *to++ = '}';
  }
  *to++ = ' ';
  to = put_number(to, value);
  *to++ = '\n';
  stage_used_ += static_cast<std::size_t>(to - begin);
}

void TextWriter::write_header() {
  header_due_ = false;
  const bool open = format_ == ExpositionFormat::openmetrics;
  const std::string& name = open ? base_ : sample_name_;
  std::string header;
  if (!help_.empty()) {
    header += "# HELP " + name + ' ';
    append_help(header, help_, open);
    header += '\n';
  }
  header += "# TYPE " + name + ' ';
  header += type_word(type_, format_);
  header += '\n';
  put(room(header.size()), header);
  stage_used_ += header.size();
}

char* TextWriter::room(std::size_t bytes) {
  if (stage_size_ - stage_used_ < bytes) {
    const std::size_t size = std::max(stage_size_ * 2, stage_used_ + bytes);
    auto stage = std::make_unique_for_overwrite<char[]>(size);
    std::memcpy(stage.get(), stage_.get(), stage_used_);
    stage_ = std::move(stage);
    stage_size_ = size;
  }
  return stage_.get() + stage_used_;
}

void TextWriter::flush() {
  if (page_.capacity() - page_.size() < stage_used_) {
    // Not in place: reserve() copies before anybody can ask for huge pages, and the small ones cost
    // more than all the rendering.
    std::string larger;
    larger.reserve(std::max(page_.capacity() * 2, page_.size() + stage_used_));
    use_huge_pages(larger);
    larger.append(page_);
    page_ = std::move(larger);
  }
  page_.append(stage_.get(), stage_used_);
  stage_used_ = 0;
}

std::string TextWriter::finish() {
  flush();
  if (format_ == ExpositionFormat::openmetrics) page_ += "# EOF\n";
  return std::move(page_);
}

void TextWriter::families(const std::vector<prometheus::MetricFamily>& families) {
  for (const auto& family : families) write_family(family);
}

void TextWriter::write_family(const prometheus::MetricFamily& family) {
  const FamilyType type = type_of(family.type);
  begin_family(family.name, family.help, type);
  std::vector<std::pair<std::string, const prometheus::ClientMetric*>> metrics;
  metrics.reserve(family.metric.size());
  for (const auto& metric : family.metric) metrics.emplace_back(label_text(metric, type), &metric);
  // Stable: of several with the same labels the first one is shown.
  std::stable_sort(metrics.begin(), metrics.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::string* last = nullptr;
  for (const auto& [labels, metric] : metrics) {
    if (last != nullptr && *last == labels) {
      ++refused_;
    } else {
      write_metric(type, labels, *metric);
    }
    last = &labels;
  }
  flush();
}

void TextWriter::write_metric(FamilyType type, const std::string& labels,
                              const prometheus::ClientMetric& metric) {
  switch (type) {
    case FamilyType::counter:
      if (metric.counter.value >= 0) {
        sample(labels, metric.counter.value);
      } else {
        ++refused_;  // negative or NaN: OpenMetrics parsers reject the page
      }
      break;
    case FamilyType::gauge:
      sample(labels, metric.gauge.value);
      break;
    case FamilyType::histogram:
      write_histogram(labels, metric);
      break;
    case FamilyType::summary:
      write_summary(labels, metric);
      break;
    case FamilyType::unknown:
      sample(labels, metric.untyped.value);
      break;
  }
}

void TextWriter::write_histogram(const std::string& labels,
                                 const prometheus::ClientMetric& metric) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto& histogram = metric.histogram;
  auto buckets = histogram.bucket;
  std::erase_if(buckets, [](const auto& bucket) { return !(bucket.upper_bound < kInfinity); });
  std::sort(buckets.begin(), buckets.end(),
            [](const auto& a, const auto& b) { return a.upper_bound < b.upper_bound; });
  double last = -kInfinity;
  std::uint64_t count = 0;
  bool negative = false;
  for (const auto& bucket : buckets) {
    negative = negative || bucket.upper_bound < 0;
    if (bucket.upper_bound <= last) {
      ++refused_;
      continue;
    }
    // A histogram read while it is written to may be out of step with itself for a moment.
    count = std::max(count, bucket.cumulative_count);
    sample("_bucket", labels, bound_label("le", bucket.upper_bound), count);
    last = bucket.upper_bound;
  }
  count = std::max(count, histogram.sample_count);
  sample("_bucket", labels, bound_label("le", kInfinity), count);
  write_sum_and_count(labels, histogram.sample_sum, count, negative);
}

void TextWriter::write_summary(const std::string& labels, const prometheus::ClientMetric& metric) {
  auto quantiles = metric.summary.quantile;
  // Before they are sorted, for which a NaN has no place.
  refused_ += std::erase_if(quantiles, [](const auto& one) {
    return !(one.quantile >= 0 && one.quantile <= 1) || one.value < 0;
  });
  std::sort(quantiles.begin(), quantiles.end(),
            [](const auto& a, const auto& b) { return a.quantile < b.quantile; });
  double last = -1;
  for (const auto& quantile : quantiles) {
    if (quantile.quantile <= last) {
      ++refused_;
      continue;
    }
    sample({}, labels, bound_label("quantile", quantile.quantile), quantile.value);
    last = quantile.quantile;
  }
  write_sum_and_count(labels, metric.summary.sample_sum, metric.summary.sample_count, false);
}

void TextWriter::write_sum_and_count(const std::string& labels, double sum, std::uint64_t count,
                                     bool may_be_negative) {
  // OpenMetrics has a sum only where it is a counter, and a count only beside a sum.
  const bool counter = sum >= 0 && !may_be_negative;
  if (format_ == ExpositionFormat::openmetrics && !counter) {
    ++refused_;
    return;
  }
  sample("_sum", labels, {}, sum);
  sample("_count", labels, {}, count);
}

}  // namespace ua
