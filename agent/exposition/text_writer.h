// SPDX-License-Identifier: Apache-2.0
// The one serialiser of metric pages: Prometheus text 0.0.4 and OpenMetrics 1.0.0. Made for one
// page, by and on the thread that renders it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "agent/exposition/format.h"

namespace prometheus {
struct ClientMetric;
struct MetricFamily;
}  // namespace prometheus

namespace ua {

enum class FamilyType : std::uint8_t { counter, gauge, histogram, summary, unknown };

/// Usage: begin_family(), its samples, the next begin_family() ..., finish(). HELP and TYPE are
/// written with a family's first sample, so a family without samples leaves no trace.
class TextWriter {
 public:
  /// @param size_hint bytes that the page takes at most (what it does not take is never touched);
  ///   0: unknown, it grows as it must
  explicit TextWriter(ExpositionFormat format, std::size_t size_hint = 0);

  /// A counter's samples end in "_total" in both formats, whether or not `name` does.
  /// @param name any bytes; made a valid name
  /// @return false where this page already has a family whose sample names would clash; the
  ///   samples that follow are then swallowed and counted in refused().
  bool begin_family(std::string_view name, std::string_view help, FamilyType type);

  /// @param suffix "" or, within a histogram or summary, "_bucket", "_sum", "_count"
  /// @param labels `a="x",b="y"`, escaped already (see LabelBlock); may be empty
  /// @param more_labels the same, for labels that differ from sample to sample
  void sample(std::string_view suffix, std::string_view labels, std::string_view more_labels,
              double value);
  void sample(std::string_view suffix, std::string_view labels, std::string_view more_labels,
              std::uint64_t value);
  void sample(std::string_view labels, double value) { sample({}, labels, {}, value); }
  void sample(std::string_view labels, std::uint64_t value) { sample({}, labels, {}, value); }

  /// Whole families of prometheus-cpp's model, series in order of their labels; names and values
  /// may be any bytes. Time stamps are left out: a scrape is the present.
  void families(const std::vector<prometheus::MetricFamily>& families);

  /// Moves what samples have written into the page. Samples themselves never touch the page, so a
  /// caller that writes them under a lock calls this outside it: growing a page of 100 MB takes
  /// tens of milliseconds. begin_family() and finish() call it too.
  void flush();

  /// How many samples were left out, because they clashed or have no meaning (a negative counter).
  std::uint64_t refused() const { return refused_; }

  /// The page. The writer is spent after it.
  std::string finish();

 private:
  template <typename Number>
  void write(std::string_view suffix, std::string_view labels, std::string_view more_labels,
             Number value);
  void write_header();
  void write_metric(FamilyType type, const std::string& labels,
                    const prometheus::ClientMetric& metric);
  void write_histogram(const std::string& labels, const prometheus::ClientMetric& metric);
  void write_summary(const std::string& labels, const prometheus::ClientMetric& metric);
  void write_sum_and_count(const std::string& labels, double sum, std::uint64_t count,
                           bool may_be_negative);
  void write_family(const prometheus::MetricFamily& family);
  char* room(std::size_t bytes);

  ExpositionFormat format_;
  std::string page_;
  std::unique_ptr<char[]> stage_;  ///< small enough to stay in the processor's cache
  std::size_t stage_size_;
  std::size_t stage_used_ = 0;

  std::string base_;         ///< of the current family, without "_total"
  std::string sample_name_;  ///< base_, for a counter with "_total"
  std::string help_;
  FamilyType type_ = FamilyType::unknown;
  bool accepted_ = false;
  bool header_due_ = false;
  std::unordered_set<std::string> taken_;
  std::uint64_t refused_ = 0;
};

}  // namespace ua
