// SPDX-License-Identifier: Apache-2.0
// Writes the series of ProbeColumns into a sink: TextWriter, or ModelSink for prometheus-cpp's
// model.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <string>
#include <thread>

#include "agent/exposition/text_writer.h"
#include "agent/metrics/probe_columns.h"
#include "agent/metrics/probe_families.h"

namespace ua {

/// Readers hold `mutex` for a slice of rows at a time, and look at `writers` before they take it
/// again, since a mutex would let them in ahead of a thread that is still waking up.
struct StoreLock {
  std::mutex mutex;
  std::atomic<unsigned> writers{0};  ///< who wait for the mutex or have it
};

template <typename Sink>
class ProbeWalk {
 public:
  /// Rows added from now on are left to the next walk.
  ProbeWalk(const ProbeColumns& columns, StoreLock& lock, Sink& sink)
      : columns_(columns), lock_(lock), sink_(sink) {
    const std::lock_guard hold(lock_.mutex);
    last_ = columns_.additions;
  }

  /// Every family, each once, rows in a stable order.
  /// @param now decides which counters are still held at 0
  void all(Time now) const;

 private:
  using Row = ProbeColumns::Row;
  /// Samples written under one hold of the lock: some 20 us.
  static constexpr std::size_t kSliceSamples = 512;
  /// How many rows ahead the texts of a row are fetched into the cache. They lie all over the heap,
  /// and a render that waits for each takes nearly twice as long.
  static constexpr std::size_t kFetchAhead = 8;
  static void fetch(const void* memory, std::size_t bytes);

  template <typename Write>
  void each_row(std::size_t samples_a_row, const Write& write) const;
  void gauge(ProbeGauge which) const;
  void errors(Time now) const;
  void histograms() const;
  void one_histogram(const PhaseHistogram& histogram, Row row) const;
  void last_durations() const;

  const ProbeColumns& columns_;
  StoreLock& lock_;
  Sink& sink_;
  std::uint64_t last_ = 0;
};

template <typename Sink>
void ProbeWalk<Sink>::fetch(const void* memory, std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t at = 0; at < bytes; at += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(memory) + at);
  }
}

template <typename Sink>
template <typename Write>
void ProbeWalk<Sink>::each_row(std::size_t samples_a_row, const Write& write) const {
  const std::size_t slice = std::max<std::size_t>(1, kSliceSamples / samples_a_row);
  std::size_t begin = 0;
  bool more = true;
  while (more) {
    while (lock_.writers.load(std::memory_order_relaxed) != 0) std::this_thread::yield();
    {
      const std::lock_guard lock(lock_.mutex);
      const std::size_t end = std::min(begin + slice, columns_.added.size());
      for (std::size_t row = begin; row < end; ++row) {
        if (row + kFetchAhead < columns_.labels.size()) {
          const std::string_view ahead = columns_.labels[row + kFetchAhead];
          fetch(ahead.data(), ahead.size());
        }
        if (columns_.added[row] != 0 && columns_.added[row] <= last_) write(static_cast<Row>(row));
      }
      begin = end;
      more = end < columns_.added.size();
    }
    sink_.flush();
  }
}

template <typename Sink>
void ProbeWalk<Sink>::gauge(ProbeGauge which) const {
  const FamilyText& text = family_text(which);
  sink_.begin_family(text.name, text.help, FamilyType::gauge);
  const std::vector<double>& column = columns_.gauges[static_cast<std::size_t>(which)];
  each_row(1, [&](Row row) {
    if (!std::isnan(column[row])) sink_.sample({}, columns_.labels[row], {}, column[row]);
  });
}

template <typename Sink>
void ProbeWalk<Sink>::errors(Time now) const {
  sink_.begin_family(kErrorsFamily.name, kErrorsFamily.help, FamilyType::counter);
  each_row(kCommonClasses, [&](Row row) {
    if (row + kFetchAhead < columns_.states.size()) {
      const auto& ahead = columns_.states[row + kFetchAhead].errors;
      fetch(ahead.data(), ahead.size() * sizeof(ErrorCount));
    }
    for (const ErrorCount& entry : columns_.states[row].errors) {
      const std::uint64_t shown = now < entry.shown_from ? 0 : entry.count;
      sink_.sample({}, columns_.labels[row], error_labels(entry.error_class), shown);
    }
  });
}

template <typename Sink>
void ProbeWalk<Sink>::one_histogram(const PhaseHistogram& histogram, Row row) const {
  const std::size_t width = columns_.bounds.size() + 1;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < width; ++i) total += histogram.counts[row * width + i];
  // "No observation for a phase that was not reached": nor a series before the first one.
  if (total == 0) return;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < width; ++i) {
    below += histogram.counts[row * width + i];
    sink_.sample("_bucket", columns_.labels[row], histogram.bucket_labels[i], below);
  }
  sink_.sample("_sum", columns_.labels[row], phase_label(histogram.phase), histogram.sums[row]);
  sink_.sample("_count", columns_.labels[row], phase_label(histogram.phase), below);
}

template <typename Sink>
void ProbeWalk<Sink>::histograms() const {
  sink_.begin_family(kDurationFamily.name, kDurationFamily.help, FamilyType::histogram);
  for (const PhaseHistogram& histogram : columns_.histograms) {
    each_row(columns_.bounds.size() + 3, [&](Row row) { one_histogram(histogram, row); });
  }
}

template <typename Sink>
void ProbeWalk<Sink>::last_durations() const {
  sink_.begin_family(kLastDurationFamily.name, kLastDurationFamily.help, FamilyType::gauge);
  each_row(kTimedPhaseCount, [&](Row row) {
    for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
      const double value = columns_.last_durations[i][row];
      if (std::isnan(value)) continue;
      sink_.sample({}, columns_.labels[row], phase_label(static_cast<TimedPhase>(i)), value);
    }
  });
}

template <typename Sink>
void ProbeWalk<Sink>::all(Time now) const {
  gauge(ProbeGauge::success);
  gauge(ProbeGauge::up);
  sink_.begin_family(kInfoFamily.name, kInfoFamily.help, FamilyType::gauge);
  each_row(1, [&](Row row) {
    sink_.sample({}, columns_.labels[row], columns_.states[row].info, std::uint64_t{1});
  });
  gauge(ProbeGauge::result_code);
  sink_.begin_family(kAttemptsFamily.name, kAttemptsFamily.help, FamilyType::counter);
  each_row(1, [&](Row row) { sink_.sample({}, columns_.labels[row], {}, columns_.attempts[row]); });
  errors(now);
  histograms();
  last_durations();
  for (std::size_t i = static_cast<std::size_t>(ProbeGauge::state_change); i < kProbeGaugeCount;
       ++i) {
    gauge(static_cast<ProbeGauge>(i));
  }
  sink_.begin_family(kTlsInfoFamily.name, kTlsInfoFamily.help, FamilyType::gauge);
  each_row(1, [&](Row row) {
    const std::string& extra = columns_.states[row].tls_info;
    if (!extra.empty()) sink_.sample({}, columns_.labels[row], extra, std::uint64_t{1});
  });
}

}  // namespace ua
