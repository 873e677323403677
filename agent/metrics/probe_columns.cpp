// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/probe_columns.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <utility>

#include "agent/exposition/escape.h"

namespace ua {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();
/// Issuer and subject come from the peer.
constexpr std::size_t kMaxUntrustedBytes = 256;

using TextPair = std::pair<std::string_view, std::string_view>;

/// Timestamps to the millisecond: finer digits are noise and cost bytes in every scrape.
double timestamp(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  return static_cast<double>(whole.count()) / 1000;
}

double timestamp(const std::optional<WallTime>& time) { return time ? timestamp(*time) : kAbsent; }

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

ProbeColumns::ProbeColumns(const MetricsConfig& given, std::uint64_t max_series)
    : config(given), budget{max_series} {
  for (const TimedPhase phase : config.histogram_phases) {
    const bool again = std::any_of(histograms.begin(), histograms.end(),
                                   [&](const PhaseHistogram& h) { return h.phase == phase; });
    if (!again) histograms.push_back({phase, bucket_labels(phase, bounds), {}, {}});
  }
}

bool SeriesBudget::take(std::uint64_t count) {
  const std::uint64_t now = used.load(std::memory_order_relaxed);
  if (now > most || count > most - now) {
    dropped.fetch_add(count, std::memory_order_relaxed);
    return false;
  }
  used.store(now + count, std::memory_order_relaxed);
  return true;
}

bool ProbeColumns::reserve(RowState& state, std::uint64_t count) {
  if (!budget.take(count)) return false;
  state.reserved += count;
  label_bytes.fetch_add(count * state.label_bytes, std::memory_order_relaxed);
  return true;
}

std::optional<ProbeColumns::Row> ProbeColumns::add(const ProbeStore::RowSpec& spec) {
  LabelBlock block;
  block.add("upstream", spec.upstream);
  block.add("target", spec.target);
  if (!spec.address.empty()) block.add("address", spec.address);
  RowState state;
  state.kind = probe_kind(spec.target);
  for (const auto& [label, value] : spec.labels) {
    // The configuration refuses such names and duplicates; never a broken page for all that.
    std::string valid = label_name(label);
    if (!is_own_label(valid) && block.add(valid, value)) {
      state.label_names.push_back(std::move(valid));
    }
  }
  state.info = extra_labels(state.label_names, {{"type", spec.type}, {"service", spec.service}});
  state.label_bytes = block.text().size();
  const std::uint64_t count = series_of_row(state.kind, config);
  if (live_labels_.contains(block.text())) {
    budget.dropped.fetch_add(count, std::memory_order_relaxed);
    return std::nullopt;
  }
  if (!reserve(state, count)) return std::nullopt;
  for (const ErrorClass born : state.kind.born) state.errors.push_back({born, 0, Time{}});
  const Row row = take_slot();
  label_texts_[row] = block.text();
  labels[row] = label_texts_[row];
  live_labels_.insert(labels[row]);
  states[row] = std::move(state);
  added[row] = ++additions;
  gauge(ProbeGauge::interval, row) = to_seconds(spec.interval);
  return row;
}

void ProbeColumns::remove(Row row) {
  const RowState& state = states[row];
  budget.used.fetch_sub(state.reserved, std::memory_order_relaxed);
  label_bytes.fetch_sub(state.reserved * state.label_bytes, std::memory_order_relaxed);
  live_labels_.erase(labels[row]);
  clear(row);
  free_rows_.push_back(row);
}

void ProbeColumns::describe(Row row, const ProbeStore::RowSpec& spec) {
  RowState& state = states[row];
  state.info = extra_labels(state.label_names, {{"type", spec.type}, {"service", spec.service}});
  gauge(ProbeGauge::interval, row) = to_seconds(spec.interval);
}

void ProbeColumns::record(Row row, const ProbeStore::Sample& sample) {
  ++attempts[row];
  record_result(row, sample);
  record_http(row, sample.outcome.http);
  record_tls(row, sample.outcome);  // before the times: it may admit those of TLS
  record_times(row, sample);
}

ProbeColumns::Row ProbeColumns::take_slot() {
  if (!free_rows_.empty()) {
    const Row row = free_rows_.back();
    free_rows_.pop_back();
    return row;
  }
  const auto row = static_cast<Row>(labels.size());
  labels.emplace_back();
  label_texts_.emplace_back();
  added.push_back(0);
  attempts.push_back(0);
  for (auto& column : gauges) column.push_back(kAbsent);
  for (auto& column : last_durations) column.push_back(kAbsent);
  for (PhaseHistogram& histogram : histograms) {
    histogram.counts.resize(histogram.counts.size() + bounds.size() + 1);
    histogram.sums.push_back(0);
  }
  states.emplace_back();
  return row;
}

void ProbeColumns::clear(Row row) {
  for (auto& column : gauges) column[row] = kAbsent;
  for (auto& column : last_durations) column[row] = kAbsent;
  for (PhaseHistogram& histogram : histograms) {
    const std::size_t width = bounds.size() + 1;
    std::fill_n(histogram.counts.begin() + static_cast<std::ptrdiff_t>(row * width), width, 0);
    histogram.sums[row] = 0;
  }
  labels[row] = {};
  label_texts_[row].clear();
  states[row] = RowState{};
  attempts[row] = 0;
  added[row] = 0;
}

void ProbeColumns::record_result(Row row, const ProbeStore::Sample& sample) {
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

void ProbeColumns::count_error(RowState& state, ErrorClass error_class, Time now) {
  auto& errors = state.errors;
  const auto at = std::lower_bound(
      errors.begin(), errors.end(), error_class,
      [](const ErrorCount& entry, ErrorClass wanted) { return entry.error_class < wanted; });
  if (at != errors.end() && at->error_class == error_class) {
    ++at->count;
  } else if (reserve(state, 1)) {
    errors.insert(at, {error_class, 1, now + config.birth_hold});
  }
}

void ProbeColumns::observe(PhaseHistogram& histogram, Row row, Duration value) {
  const double seconds = to_seconds(value);
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  ++histogram.counts[row * (bounds.size() + 1) + static_cast<std::size_t>(bucket)];
  histogram.sums[row] += seconds;
}

void ProbeColumns::record_times(Row row, const ProbeStore::Sample& sample) {
  const PhaseTimes& times = sample.outcome.times;
  for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    const auto value = times.get(phase);
    const bool shown = sample.observe_latency && value && has_phase(states[row].kind, phase);
    last_durations[i][row] = shown ? to_seconds(*value) : kAbsent;
  }
  if (!sample.observe_latency) return;
  for (PhaseHistogram& histogram : histograms) {
    if (const auto value = times.get(histogram.phase)) observe(histogram, row, *value);
  }
}

void ProbeColumns::record_http(Row row, const std::optional<HttpFacts>& facts) {
  if (!states[row].kind.http) return;
  const bool status = facts && facts->status_code != 0;
  const bool version = facts && facts->version != 0;
  gauge(ProbeGauge::http_status, row) = status ? facts->status_code : kAbsent;
  gauge(ProbeGauge::http_version, row) = version ? facts->version : kAbsent;
  gauge(ProbeGauge::response_bytes, row) = facts ? static_cast<double>(facts->body_bytes) : kAbsent;
  gauge(ProbeGauge::redirects, row) = facts ? facts->redirects : kAbsent;
}

void ProbeColumns::record_tls(Row row, const Outcome& outcome) {
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

void ProbeColumns::record_certificate(Row row, const TlsFacts& facts) {
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

void ProbeColumns::forget_certificate(Row row) {
  gauge(ProbeGauge::tls_not_after, row) = kAbsent;
  states[row].tls_info.clear();
}

}  // namespace ua
