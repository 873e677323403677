// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/probe_store.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <deque>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include "agent/exposition/escape.h"
#include "agent/exposition/text_writer.h"
#include "agent/metrics/model_sink.h"
#include "agent/metrics/probe_families.h"

namespace ua {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();
/// Samples written under one hold of the lock: some 20 us.
constexpr std::size_t kSliceSamples = 512;
/// Issuer and subject come from the peer.
constexpr std::size_t kMaxUntrustedBytes = 256;

/// How many rows ahead the texts of a row are fetched into the cache. They lie all over the heap,
/// and a render that waits for each takes nearly twice as long.
constexpr std::size_t kFetchAhead = 8;

void fetch(const void* memory, std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t at = 0; at < bytes; at += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(memory) + at);
  }
}

using TextPair = std::pair<std::string_view, std::string_view>;

/// Timestamps to the millisecond: finer digits are noise and cost bytes in every scrape.
double timestamp(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  return static_cast<double>(whole.count()) / 1000;
}

double timestamp(const std::optional<WallTime>& time) { return time ? timestamp(*time) : kAbsent; }

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

struct Histogram {
  TimedPhase phase;
  std::vector<std::string> bucket_labels;  ///< with phase and le, the last one for +Inf
  std::vector<std::uint64_t> counts;       ///< a row's buckets side by side, not cumulative
  std::vector<double> sums;
};

std::vector<std::string> bucket_labels(TimedPhase phase, const std::vector<double>& bounds) {
  std::vector<std::string> labels;
  const auto push = [&](double bound) {
    LabelBlock block;
    block.add("phase", name(phase));
    block.add("le", bound_text(bound));
    labels.push_back(block.text());
  };
  for (const double bound : bounds) push(bound);
  push(std::numeric_limits<double>::infinity());
  return labels;
}

/// Whether the row's series were counted with this phase's duration.
bool has_phase(const ProbeKind& kind, TimedPhase phase) {
  switch (phase) {
    case TimedPhase::dns:
      return !kind.unix_socket;
    case TimedPhase::tls:
      return kind.tls;
    case TimedPhase::request:
    case TimedPhase::response_headers:
    case TimedPhase::response_body:
      return kind.http;
    case TimedPhase::connect:
    case TimedPhase::total:
      break;
  }
  return true;
}

/// A label that a family needs for itself; the configuration refuses these names.
bool is_own_label(std::string_view label) {
  static constexpr std::array<std::string_view, 6> kOwn{"upstream", "target",      "address",
                                                        "phase",    "error_class", "le"};
  return std::find(kOwn.begin(), kOwn.end(), label) != kOwn.end();
}

/// A configured label of the same name wins, as it stands on the series already. An empty label is
/// the same as none.
std::string extra_labels(const std::vector<std::string>& taken,
                         std::initializer_list<TextPair> pairs) {
  LabelBlock block;
  for (const auto& [label, value] : pairs) {
    const bool free = std::find(taken.begin(), taken.end(), label) == taken.end();
    if (free && !value.empty()) block.add(label, value);
  }
  return block.text();
}

}  // namespace

struct ProbeStore::Impl {
  Impl(const MetricsConfig& config, std::uint64_t max_series);

  // All with the lock held.
  bool reserve(RowState& state, std::uint64_t count);
  Row take_slot();
  void clear(Row row);
  double& gauge(ProbeGauge which, Row row) { return gauges[static_cast<std::size_t>(which)][row]; }
  void record_result(Row row, const Sample& sample);
  void count_error(RowState& state, ErrorClass error_class, Time now);
  void record_times(Row row, const Sample& sample);
  void observe(Histogram& histogram, Row row, Duration value);
  void record_http(Row row, const std::optional<HttpFacts>& facts);
  void record_tls(Row row, const Outcome& outcome);
  void record_certificate(Row row, const TlsFacts& facts);
  void forget_certificate(Row row);

  template <typename Sink>
  void walk(Sink& sink, Time now) const;
  template <typename Sink, typename Write>
  void each_row(Sink& sink, std::uint64_t last, std::size_t samples_a_row,
                const Write& write) const;
  template <typename Sink>
  void walk_gauge(Sink& sink, std::uint64_t last, ProbeGauge which) const;
  template <typename Sink>
  void walk_errors(Sink& sink, std::uint64_t last, Time now) const;
  template <typename Sink>
  void walk_histograms(Sink& sink, std::uint64_t last) const;
  template <typename Sink>
  void walk_last_durations(Sink& sink, std::uint64_t last) const;
  template <typename Sink>
  void walk_histogram(Sink& sink, const Histogram& histogram, Row row) const;

  const MetricsConfig config;
  const std::vector<double>& bounds = config.buckets;
  const Duration birth_hold = config.birth_hold;
  const std::uint64_t max_series;

  mutable std::mutex mutex;
  mutable std::atomic<unsigned> writers{0};  ///< who wait for the lock or have it
  std::atomic<std::uint64_t> series{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> label_bytes{0};  ///< of all series together

  // Columns, indexed by row.
  std::deque<std::string> labels;    ///< a deque: live_labels points into it
  std::vector<std::uint64_t> added;  ///< the addition that filled the slot; 0: free
  std::vector<std::uint64_t> attempts;
  std::array<std::vector<double>, kProbeGaugeCount> gauges;
  std::array<std::vector<double>, kTimedPhaseCount> last_durations;
  std::vector<Histogram> histograms;
  std::deque<RowState> states;

  std::uint64_t additions = 0;
  std::vector<Row> free_rows;
  std::unordered_set<std::string_view> live_labels;
};

namespace {

/// A writer's hold of the lock. A render looks at `writers` before it takes the lock again, since a
/// mutex would let it in ahead of a thread that is still waking up.
template <typename State>
class WriterLock {
 public:
  explicit WriterLock(State& state) : state_(state) {
    state_.writers.fetch_add(1, std::memory_order_relaxed);
    state_.mutex.lock();
  }
  ~WriterLock() {
    state_.mutex.unlock();
    state_.writers.fetch_sub(1, std::memory_order_relaxed);
  }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  State& state_;
};

}  // namespace

ProbeStore::Impl::Impl(const MetricsConfig& given, std::uint64_t limit)
    : config(given), max_series(limit) {
  for (const TimedPhase phase : config.histogram_phases) {
    const bool again = std::any_of(histograms.begin(), histograms.end(),
                                   [&](const Histogram& h) { return h.phase == phase; });
    if (!again) histograms.push_back({phase, bucket_labels(phase, bounds), {}, {}});
  }
}

bool ProbeStore::Impl::reserve(RowState& state, std::uint64_t count) {
  const std::uint64_t used = series.load(std::memory_order_relaxed);
  if (used > max_series || count > max_series - used) {
    dropped.fetch_add(count, std::memory_order_relaxed);
    return false;
  }
  series.store(used + count, std::memory_order_relaxed);
  state.reserved += count;
  label_bytes.fetch_add(count * state.label_bytes, std::memory_order_relaxed);
  return true;
}

ProbeStore::Row ProbeStore::Impl::take_slot() {
  if (!free_rows.empty()) {
    const Row row = free_rows.back();
    free_rows.pop_back();
    return row;
  }
  const auto row = static_cast<Row>(labels.size());
  labels.emplace_back();
  added.push_back(0);
  attempts.push_back(0);
  for (auto& column : gauges) column.push_back(kAbsent);
  for (auto& column : last_durations) column.push_back(kAbsent);
  for (Histogram& histogram : histograms) {
    histogram.counts.resize(histogram.counts.size() + bounds.size() + 1);
    histogram.sums.push_back(0);
  }
  states.emplace_back();
  return row;
}

void ProbeStore::Impl::clear(Row row) {
  for (auto& column : gauges) column[row] = kAbsent;
  for (auto& column : last_durations) column[row] = kAbsent;
  for (Histogram& histogram : histograms) {
    const std::size_t width = bounds.size() + 1;
    std::fill_n(histogram.counts.begin() + static_cast<std::ptrdiff_t>(row * width), width, 0);
    histogram.sums[row] = 0;
  }
  labels[row].clear();
  states[row] = RowState{};
  attempts[row] = 0;
  added[row] = 0;
}

void ProbeStore::Impl::record_result(Row row, const Sample& sample) {
  const Outcome& outcome = sample.outcome;
  gauge(ProbeGauge::success, row) = outcome.success() ? 1 : 0;
  gauge(ProbeGauge::result_code, row) = static_cast<double>(outcome.error);
  gauge(ProbeGauge::up, row) =
      sample.verdict == Verdict::unknown ? kAbsent : (sample.verdict == Verdict::up ? 1 : 0);
  gauge(ProbeGauge::last_run, row) = timestamp(sample.when);
  gauge(ProbeGauge::state_change, row) = timestamp(sample.state_change);
  gauge(ProbeGauge::last_success, row) = timestamp(sample.last_success);
  const bool failed = outcome.error != ErrorClass::none;
  const bool asked = !failed || phase_of(outcome.error) != Phase::local;
  if (asked && !states[row].kind.unix_socket) {
    gauge(ProbeGauge::addresses, row) = outcome.addresses;
  }
  if (failed) count_error(states[row], outcome.error, sample.now);
}

void ProbeStore::Impl::count_error(RowState& state, ErrorClass error_class, Time now) {
  auto& errors = state.errors;
  const auto at = std::lower_bound(
      errors.begin(), errors.end(), error_class,
      [](const ErrorCount& entry, ErrorClass wanted) { return entry.error_class < wanted; });
  if (at != errors.end() && at->error_class == error_class) {
    ++at->count;
  } else if (reserve(state, 1)) {
    errors.insert(at, {error_class, 1, now + birth_hold});
  }
}

void ProbeStore::Impl::observe(Histogram& histogram, Row row, Duration value) {
  const double seconds = to_seconds(value);
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  ++histogram.counts[row * (bounds.size() + 1) + static_cast<std::size_t>(bucket)];
  histogram.sums[row] += seconds;
}

void ProbeStore::Impl::record_times(Row row, const Sample& sample) {
  const PhaseTimes& times = sample.outcome.times;
  for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    const auto value = times.get(phase);
    const bool shown = sample.observe_latency && value && has_phase(states[row].kind, phase);
    last_durations[i][row] = shown ? to_seconds(*value) : kAbsent;
  }
  if (!sample.observe_latency) return;
  for (Histogram& histogram : histograms) {
    if (const auto value = times.get(histogram.phase)) observe(histogram, row, *value);
  }
}

void ProbeStore::Impl::record_http(Row row, const std::optional<HttpFacts>& facts) {
  if (!states[row].kind.http) return;
  const bool status = facts && facts->status_code != 0;
  const bool version = facts && facts->version != 0;
  gauge(ProbeGauge::http_status, row) = status ? facts->status_code : kAbsent;
  gauge(ProbeGauge::http_version, row) = version ? facts->version : kAbsent;
  gauge(ProbeGauge::response_bytes, row) = facts ? static_cast<double>(facts->body_bytes) : kAbsent;
  gauge(ProbeGauge::redirects, row) = facts ? facts->redirects : kAbsent;
}

void ProbeStore::Impl::record_tls(Row row, const Outcome& outcome) {
  RowState& state = states[row];
  gauge(ProbeGauge::tls_verified, row) = kAbsent;
  const Phase phase = outcome.error == ErrorClass::none ? Phase::unknown : phase_of(outcome.error);
  if (!outcome.tls) {
    const bool before_tls = phase == Phase::local || phase == Phase::dns || phase == Phase::connect;
    if (!before_tls) forget_certificate(row);
    return;
  }
  // An http target may be redirected to https.
  if (!state.kind.tls) state.kind.tls = reserve(state, kTlsSeries);
  if (!state.kind.tls) return;
  gauge(ProbeGauge::tls_verified, row) = outcome.tls->verified ? 1 : 0;
  if (outcome.tls->certificate) {
    record_certificate(row, *outcome.tls);
  } else if (phase != Phase::tls) {
    forget_certificate(row);
  }
}

void ProbeStore::Impl::record_certificate(Row row, const TlsFacts& facts) {
  const Certificate& leaf = *facts.certificate;
  gauge(ProbeGauge::tls_not_after, row) =
      timestamp(std::min(leaf.not_after, facts.chain_not_after.value_or(leaf.not_after)));
  RowState& state = states[row];
  state.tls_info =
      extra_labels(state.label_names, {{"version", facts.version},
                                       {"cipher", facts.cipher},
                                       {"issuer", cut_utf8(leaf.issuer, kMaxUntrustedBytes)},
                                       {"subject", cut_utf8(leaf.subject, kMaxUntrustedBytes)},
                                       {"fingerprint_sha256", leaf.fingerprint_sha256}});
}

void ProbeStore::Impl::forget_certificate(Row row) {
  gauge(ProbeGauge::tls_not_after, row) = kAbsent;
  states[row].tls_info.clear();
}

template <typename Sink, typename Write>
void ProbeStore::Impl::each_row(Sink& sink, std::uint64_t last, std::size_t samples_a_row,
                                const Write& write) const {
  const std::size_t slice = std::max<std::size_t>(1, kSliceSamples / samples_a_row);
  std::size_t begin = 0;
  bool more = true;
  while (more) {
    while (writers.load(std::memory_order_relaxed) != 0) std::this_thread::yield();
    {
      const std::lock_guard lock(mutex);
      const std::size_t end = std::min(begin + slice, added.size());
      for (std::size_t row = begin; row < end; ++row) {
        if (row + kFetchAhead < labels.size()) {
          const std::string& ahead = labels[row + kFetchAhead];
          fetch(ahead.data(), ahead.size());
        }
        if (added[row] != 0 && added[row] <= last) write(static_cast<Row>(row));
      }
      begin = end;
      more = end < added.size();
    }
    sink.flush();
  }
}

template <typename Sink>
void ProbeStore::Impl::walk_gauge(Sink& sink, std::uint64_t last, ProbeGauge which) const {
  const FamilyText& text = family_text(which);
  sink.begin_family(text.name, text.help, FamilyType::gauge);
  const std::vector<double>& column = gauges[static_cast<std::size_t>(which)];
  each_row(sink, last, 1, [&](Row row) {
    if (!std::isnan(column[row])) sink.sample({}, labels[row], {}, column[row]);
  });
}

template <typename Sink>
void ProbeStore::Impl::walk_errors(Sink& sink, std::uint64_t last, Time now) const {
  sink.begin_family(kErrorsFamily.name, kErrorsFamily.help, FamilyType::counter);
  each_row(sink, last, kBornClasses, [&](Row row) {
    if (row + kFetchAhead < states.size()) {
      const auto& ahead = states[row + kFetchAhead].errors;
      fetch(ahead.data(), ahead.size() * sizeof(ErrorCount));
    }
    for (const ErrorCount& entry : states[row].errors) {
      const std::uint64_t shown = now < entry.shown_from ? 0 : entry.count;
      sink.sample({}, labels[row], error_labels(entry.error_class), shown);
    }
  });
}

template <typename Sink>
void ProbeStore::Impl::walk_histogram(Sink& sink, const Histogram& histogram, Row row) const {
  const std::size_t width = bounds.size() + 1;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < width; ++i) total += histogram.counts[row * width + i];
  // "No observation for a phase that was not reached": nor a series before the first one.
  if (total == 0) return;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < width; ++i) {
    below += histogram.counts[row * width + i];
    sink.sample("_bucket", labels[row], histogram.bucket_labels[i], below);
  }
  sink.sample("_sum", labels[row], phase_label(histogram.phase), histogram.sums[row]);
  sink.sample("_count", labels[row], phase_label(histogram.phase), below);
}

template <typename Sink>
void ProbeStore::Impl::walk_histograms(Sink& sink, std::uint64_t last) const {
  sink.begin_family(kDurationFamily.name, kDurationFamily.help, FamilyType::histogram);
  for (const Histogram& histogram : histograms) {
    each_row(sink, last, bounds.size() + 3, [&](Row row) { walk_histogram(sink, histogram, row); });
  }
}

template <typename Sink>
void ProbeStore::Impl::walk_last_durations(Sink& sink, std::uint64_t last) const {
  sink.begin_family(kLastDurationFamily.name, kLastDurationFamily.help, FamilyType::gauge);
  each_row(sink, last, kTimedPhaseCount, [&](Row row) {
    for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
      const double value = last_durations[i][row];
      if (std::isnan(value)) continue;
      sink.sample({}, labels[row], phase_label(static_cast<TimedPhase>(i)), value);
    }
  });
}

template <typename Sink>
void ProbeStore::Impl::walk(Sink& sink, Time now) const {
  std::uint64_t last = 0;
  {
    const std::lock_guard lock(mutex);
    last = additions;
  }
  walk_gauge(sink, last, ProbeGauge::success);
  walk_gauge(sink, last, ProbeGauge::up);
  sink.begin_family(kInfoFamily.name, kInfoFamily.help, FamilyType::gauge);
  each_row(sink, last, 1,
           [&](Row row) { sink.sample({}, labels[row], states[row].info, std::uint64_t{1}); });
  walk_gauge(sink, last, ProbeGauge::result_code);
  sink.begin_family(kAttemptsFamily.name, kAttemptsFamily.help, FamilyType::counter);
  each_row(sink, last, 1, [&](Row row) { sink.sample({}, labels[row], {}, attempts[row]); });
  walk_errors(sink, last, now);
  walk_histograms(sink, last);
  walk_last_durations(sink, last);
  for (std::size_t i = static_cast<std::size_t>(ProbeGauge::state_change); i < kProbeGaugeCount;
       ++i) {
    walk_gauge(sink, last, static_cast<ProbeGauge>(i));
  }
  sink.begin_family(kTlsInfoFamily.name, kTlsInfoFamily.help, FamilyType::gauge);
  each_row(sink, last, 1, [&](Row row) {
    const std::string& extra = states[row].tls_info;
    if (!extra.empty()) sink.sample({}, labels[row], extra, std::uint64_t{1});
  });
}

ProbeStore::ProbeStore(const MetricsConfig& config, std::uint64_t max_series)
    : impl_(std::make_unique<Impl>(config, max_series)) {}

ProbeStore::~ProbeStore() = default;

std::optional<ProbeStore::Row> ProbeStore::add(const RowSpec& spec) {
  LabelBlock block;
  block.add("upstream", spec.upstream);
  block.add("target", spec.target);
  if (!spec.address.empty()) block.add("address", spec.address);
  RowState state;
  state.kind = probe_kind(spec.type, spec.target);
  for (const auto& [label, value] : spec.labels) {
    // The configuration refuses such names and duplicates; never a broken page for all that.
    std::string valid = label_name(label);
    if (!is_own_label(valid) && block.add(valid, value)) {
      state.label_names.push_back(std::move(valid));
    }
  }
  state.info = extra_labels(state.label_names, {{"type", spec.type}, {"service", spec.service}});

  const WriterLock lock(*impl_);
  state.label_bytes = block.text().size();
  const std::uint64_t count = series_of_row(state.kind, impl_->config);
  if (impl_->live_labels.contains(block.text())) {
    impl_->dropped.fetch_add(count, std::memory_order_relaxed);
    return std::nullopt;
  }
  if (!impl_->reserve(state, count)) return std::nullopt;
  for (const ErrorClass born : born_classes(state.kind)) state.errors.push_back({born, 0, Time{}});
  const Row row = impl_->take_slot();
  impl_->labels[row] = block.text();
  impl_->live_labels.insert(impl_->labels[row]);
  impl_->states[row] = std::move(state);
  impl_->added[row] = ++impl_->additions;
  impl_->gauge(ProbeGauge::interval, row) = to_seconds(spec.interval);
  return row;
}

void ProbeStore::remove(Row row) {
  const WriterLock lock(*impl_);
  const RowState& state = impl_->states[row];
  impl_->series.fetch_sub(state.reserved, std::memory_order_relaxed);
  impl_->label_bytes.fetch_sub(state.reserved * state.label_bytes, std::memory_order_relaxed);
  impl_->live_labels.erase(impl_->labels[row]);
  impl_->clear(row);
  impl_->free_rows.push_back(row);
}

void ProbeStore::describe(Row row, const RowSpec& spec) {
  const WriterLock lock(*impl_);
  RowState& state = impl_->states[row];
  state.info = extra_labels(state.label_names, {{"type", spec.type}, {"service", spec.service}});
  impl_->gauge(ProbeGauge::interval, row) = to_seconds(spec.interval);
}

void ProbeStore::record(Row row, const Sample& sample) {
  const WriterLock lock(*impl_);
  ++impl_->attempts[row];
  impl_->record_result(row, sample);
  impl_->record_http(row, sample.outcome.http);
  impl_->record_tls(row, sample.outcome);  // before the times: it may admit those of TLS
  impl_->record_times(row, sample);
}

std::uint64_t ProbeStore::series() const { return impl_->series.load(std::memory_order_relaxed); }
std::uint64_t ProbeStore::series_limit() const { return impl_->max_series; }
std::uint64_t ProbeStore::series_dropped() const {
  return impl_->dropped.load(std::memory_order_relaxed);
}

std::uint64_t ProbeStore::page_bytes() const {
  return series() * kBytesBesideRowLabels + impl_->label_bytes.load(std::memory_order_relaxed);
}

void ProbeStore::render(TextWriter& writer, Time now) const { impl_->walk(writer, now); }

std::vector<prometheus::MetricFamily> ProbeStore::collect(Time now) const {
  ModelSink sink;
  impl_->walk(sink, now);
  return sink.take();
}

}  // namespace ua
