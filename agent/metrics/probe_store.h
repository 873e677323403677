// SPDX-License-Identifier: Apache-2.0
// The probe series: columnar, one value array a family and one pre-rendered label block a row,
// since a target has some 45 series and there may be 100 000 targets. Written on the loop thread,
// rendered on any: a render takes the lock for a slice of rows at a time, so neither waits long.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/config/config.h"
#include "agent/scheduler/target_status.h"

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

  /// nullopt where the row would pass max_series; what is dropped is counted.
  std::optional<Row> add(const RowSpec& spec);
  void remove(Row row);
  void record(Row row, const Sample& sample);

  std::uint64_t series() const;          ///< any thread
  std::uint64_t series_limit() const;    ///< any thread
  std::uint64_t series_dropped() const;  ///< any thread; counter

  /// Writes every family, each once, rows in a stable order. Any thread. `now` decides which
  /// counters are still held at 0.
  void render(TextWriter& writer, Time now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ua
