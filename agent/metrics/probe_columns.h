// SPDX-License-Identifier: Apache-2.0
// What the ProbeStore keeps: one value array a family, one entry a target in each. Not locked; the
// ProbeStore and its renders see to that.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "agent/config/config.h"
#include "agent/metrics/probe_families.h"
#include "agent/metrics/probe_store.h"

namespace ua {

/// How many series there may be, and are. The counts may be read on any thread.
struct SeriesBudget {
  const std::uint64_t most;
  std::atomic<std::uint64_t> used{0};
  std::atomic<std::uint64_t> dropped{0};  ///< refused, each time they were

  bool take(std::uint64_t count);
};

struct ErrorCount {
  ErrorClass error_class;
  std::uint64_t count;
  Time shown_from;  ///< 0 is shown until then
};

/// What of a row is not a column of its own, since it is read once a render or less.
struct RowState {
  ProbeKind kind;
  std::vector<std::string> label_names;  ///< configured
  std::string info;                      ///< labels of upstream_info beside the row's
  std::string tls_info;                  ///< of upstream_probe_tls_info; empty: no such series
  std::vector<ErrorCount> errors;        ///< by class
  std::uint64_t reserved = 0;            ///< series counted for this row
  std::uint64_t label_bytes = 0;         ///< of the labels that each of them has
};

struct PhaseHistogram {
  TimedPhase phase;
  std::vector<std::string> bucket_labels;  ///< with phase and le, the last one for +Inf
  std::vector<std::uint64_t> counts;       ///< a row's buckets side by side, not cumulative
  std::vector<double> sums;
};

struct ProbeColumns {
  using Row = ProbeStore::Row;

  ProbeColumns(const MetricsConfig& config, std::uint64_t max_series);

  /// nullopt where there is no room, or has the labels of another row.
  std::optional<Row> add(const ProbeStore::RowSpec& spec);
  void remove(Row row);
  void describe(Row row, const ProbeStore::RowSpec& spec);
  void record(Row row, const ProbeStore::Sample& sample);

  const MetricsConfig config;
  const std::vector<double>& bounds = config.buckets;
  SeriesBudget budget;
  std::atomic<std::uint64_t> label_bytes{0};  ///< of all series together

  // Columns, indexed by row.
  std::vector<std::string_view> labels;  ///< read for every sample of a page
  std::vector<std::uint64_t> added;      ///< the addition that filled the slot; 0: free
  std::vector<std::uint64_t> attempts;
  std::array<std::vector<double>, kProbeGaugeCount> gauges;
  std::array<std::vector<double>, kTimedPhaseCount> last_durations;  ///< NaN: absent, as in gauges
  std::vector<PhaseHistogram> histograms;
  std::deque<RowState> states;
  std::uint64_t additions = 0;

 private:
  bool reserve(RowState& state, std::uint64_t count);
  Row take_slot();
  void clear(Row row);
  double& gauge(ProbeGauge which, Row row) { return gauges[static_cast<std::size_t>(which)][row]; }
  void record_result(Row row, const ProbeStore::Sample& sample);
  void count_error(RowState& state, ErrorClass error_class, Time now);
  void record_times(Row row, const ProbeStore::Sample& sample);
  void observe(PhaseHistogram& histogram, Row row, Duration value);
  void record_http(Row row, const std::optional<HttpFacts>& facts);
  void record_tls(Row row, const Outcome& outcome);
  void record_certificate(Row row, const TlsFacts& facts);
  void forget_certificate(Row row);

  std::deque<std::string> label_texts_;  // a deque: views of them stay valid
  std::vector<Row> free_rows_;
  std::unordered_set<std::string_view> live_labels_;
};

}  // namespace ua
