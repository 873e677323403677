// SPDX-License-Identifier: Apache-2.0
// The probe series: columnar, one value array a family and one pre-rendered label block a row,
// since a target has some 45 series and there may be 100 000 targets. Written on the loop thread,
// rendered on any: a render takes the lock for a slice of rows at a time, so neither waits long.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/scheduler/target_status.h"

namespace prometheus {
struct MetricFamily;
}

namespace ua {

class TextWriter;  // agent/exposition/text_writer.h

class ProbeStore {
 public:
  using Row = std::uint32_t;

  struct RowSpec {
    std::string upstream;
    std::string target;
    std::string address;  ///< empty unless addresses = "all"
    std::string type;     ///< upstream_info{type}, and which classes are born at 0
    std::string service;
    LabelPairs labels;
    Duration interval{};
  };

  /// One result, as the scheduler hands it over.
  struct Sample {
    const Outcome& outcome;
    Verdict verdict;
    WallTime when;
    std::optional<WallTime> state_change;
    std::optional<WallTime> last_success;
    bool observe_latency;  ///< false: measured across a pause, so not to be shown as a latency
    Time now;              ///< for birth_hold
  };

  ProbeStore(const MetricsConfig& config, std::uint64_t max_series);
  ~ProbeStore();
  ProbeStore(const ProbeStore&) = delete;
  ProbeStore& operator=(const ProbeStore&) = delete;

  /// nullopt where the row would pass max_series, or has the labels of another row: remove() that
  /// one first. What is dropped is counted.
  std::optional<Row> add(const RowSpec& spec);
  void remove(Row row);
  /// What a reload may change of a row that stays: its interval and its service.
  void describe(Row row, const RowSpec& spec);
  /// What is not in the outcome is absent from the page until the next result, with two exceptions:
  /// the certificate facts stay while runs fail before TLS, or fail in it without showing the
  /// certificate again; the number of addresses stays over a run that ended before it asked.
  void record(Row row, const Sample& sample);

  /// All series that may be rendered: a row counts with all that its kind can have, so that a row
  /// once admitted is shown whole, and with each error counter and TLS series it came to later.
  std::uint64_t series() const;        ///< any thread
  std::uint64_t series_limit() const;  ///< any thread
  /// Series refused, each time they were. Any thread; counter.
  std::uint64_t series_dropped() const;

  /// What render() writes at most, by the series and their labels. Any thread.
  std::uint64_t page_bytes() const;

  /// Writes every family, each once, rows in a stable order. Any thread. `now` decides which
  /// counters are still held at 0. Rows added meanwhile are left to the next render, so that a row
  /// removed and added again never shows twice.
  void render(TextWriter& writer, Time now) const;
  /// The same in prometheus-cpp's model. Costs some 50 times as much: for users of that API.
  std::vector<prometheus::MetricFamily> collect(Time now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ua
