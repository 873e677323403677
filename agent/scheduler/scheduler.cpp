// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/scheduler.h"

#include <algorithm>

#include "agent/diagnosis/first_check.h"
#include "collectors/core/text.h"
#include "collectors/probes/probe_run.h"

namespace ua {
namespace {

constexpr Duration kEarlySpacing = 10ms;
constexpr Duration kTick = 50ms;
constexpr Duration kRecheckAfter = 1s;
constexpr Duration kAddressKept = 5min;

/// Too late to make up for: the process was stopped or the machine slept. Everything is late then,
/// and launching all at once would be a herd.
bool too_late(Duration late, Duration interval) {
  return late > std::max<Duration>(1s, interval / 2);
}

}  // namespace

/// What is to be done for one target; replaced as a whole by a reload, kept alive by a running
/// probe.
struct Scheduler::Plan {
  std::string upstream;
  TargetConfig target;
  Duration interval;
  unsigned rise;
  unsigned fall;
  RunOptions run;
  std::string service;
  std::string origin;
  LabelPairs labels;
};

/// One row of results: a target, or one of its addresses.
struct Scheduler::Series {
  std::optional<ProbeStore::Row> row;  // none where max_series is reached
  std::size_t board_slot = 0;
  TargetStatus status;
  RiseFall state;
  Time last_seen;
};

struct Scheduler::Entry {
  std::shared_ptr<const Plan> plan;
  std::uint64_t hash = 0;
  Timer due;
  bool waiting = false;
  std::shared_ptr<const Plan> running_plan;  // outlives the run, which refers to it
  std::unique_ptr<ProbeRun> run;
  Timer discard;  // frees a finished run outside its own callback
  std::map<std::string, std::unique_ptr<Series>> series;  // by address; "" unless addresses = all
};

Scheduler::Scheduler(Surroundings surroundings, unsigned max_in_flight)
    : around_(std::move(surroundings)), max_in_flight_(max_in_flight) {}

Scheduler::~Scheduler() = default;

Time Scheduler::next_slot(const Entry& entry, Time after) const {
  const auto interval = entry.plan->interval;
  const Duration phase(
      static_cast<std::int64_t>(entry.hash % static_cast<std::uint64_t>(interval.count())));
  const Duration since = after.time_since_epoch() - phase;
  const auto k = since.count() < 0 ? 0 : since / interval + 1;
  return Time(phase + k * interval);
}

void Scheduler::arm(Entry& entry, Time when) {
  entry.due = around_.engine.loop.at(when, [this, &entry, when] { on_due(entry, when); });
}

void Scheduler::apply(const std::vector<UpstreamConfig>& upstreams, unsigned max_in_flight) {
  max_in_flight_ = max_in_flight;
  std::map<Key, std::unique_ptr<Entry>> next;
  std::vector<Entry*> fresh;
  std::vector<Entry*> moved;
  for (const UpstreamConfig& upstream : upstreams) {
    for (const TargetConfig& target : upstream.targets) {
      Key key = upstream.name + '\0' + target.target.label;
      for (const auto& [label, value] : upstream.labels) key += '\0' + label + '\0' + value;
      if (next.contains(key)) continue;
      auto plan = std::make_shared<const Plan>(
          Plan{upstream.name, target, upstream.interval, upstream.rise, upstream.fall, upstream.run,
               upstream.service, upstream.origin, upstream.labels});
      std::unique_ptr<Entry> entry;
      if (const auto known = entries_.find(key); known != entries_.end()) {
        entry = std::move(known->second);
        entries_.erase(known);
        if (entry->plan->interval != plan->interval) moved.push_back(entry.get());
        const bool mode_changed = entry->plan->run.addresses != plan->run.addresses;
        entry->plan = std::move(plan);
        if (mode_changed) {
          for (auto& [address, series] : entry->series) drop_series(*series);
          entry->series.clear();
        }
      } else {
        entry = std::make_unique<Entry>();
        entry->hash = stable_hash(key);
        entry->plan = std::move(plan);
        fresh.push_back(entry.get());
      }
      next.emplace(std::move(key), std::move(entry));
    }
  }
  for (auto& [key, gone] : entries_) {
    std::erase(waiting_, gone.get());
    if (gone->run) --in_flight_;
    for (auto& [address, series] : gone->series) drop_series(*series);
  }
  entries_ = std::move(next);
  const Time now = around_.engine.loop.now();
  for (Entry* entry : moved) arm(*entry, next_slot(*entry, now));
  std::sort(fresh.begin(), fresh.end(), [](auto* a, auto* b) { return a->hash < b->hash; });
  Time early = now;
  for (Entry* entry : fresh) {
    if (entry->plan->run.addresses != AddressMode::all) add_series(*entry, "");
    arm(*entry, std::min(early, next_slot(*entry, now)));
    early += kEarlySpacing;
  }
  around_.metrics.set_probes_in_flight(in_flight_);
}

void Scheduler::on_due(Entry& entry, Time planned) {
  const Time now = around_.engine.loop.now();
  arm(entry, next_slot(entry, std::max(now, planned)));
  if (too_late(now - planned, entry.plan->interval)) {
    around_.metrics.count_skipped(SkipReason::paused);
  } else if (entry.waiting) {
    around_.metrics.count_skipped(SkipReason::max_in_flight);
  } else if (entry.run) {
    around_.metrics.count_skipped(SkipReason::still_running);
  } else if (in_flight_ >= max_in_flight_) {
    entry.waiting = true;
    waiting_.push_back(&entry);
  } else {
    launch(entry);
  }
}

void Scheduler::launch(Entry& entry) {
  entry.discard.cancel();
  entry.running_plan = entry.plan;
  const Plan& plan = *entry.running_plan;
  entry.run =
      std::make_unique<ProbeRun>(around_.engine, plan.target.target, plan.target.make, plan.run);
  around_.metrics.set_probes_in_flight(++in_flight_);
  keep_ticking();
  const Duration stalled = around_.engine.loop.stalled();
  entry.run->start([this, &entry, stalled](std::vector<Outcome> outcomes) {
    on_outcomes(entry, std::move(outcomes), stalled);
  });
}

void Scheduler::keep_ticking() {
  if (tick_) return;
  tick_ = around_.engine.loop.after(kTick, [this] {
    tick_ = Timer();
    if (in_flight_ > 0) keep_ticking();
  });
}

void Scheduler::start_waiting() {
  while (!waiting_.empty() && in_flight_ < max_in_flight_) {
    Entry* entry = waiting_.front();
    waiting_.pop_front();
    entry->waiting = false;
    launch(*entry);
  }
}

void Scheduler::on_outcomes(Entry& entry, std::vector<Outcome> outcomes, Duration stalled_before) {
  const Duration stalled = around_.engine.loop.stalled() - stalled_before;
  around_.metrics.set_probes_in_flight(--in_flight_);
  // We are inside the run's callback: it is freed in the next turn.
  entry.discard = around_.engine.loop.after(Duration::zero(),
                                            [run = std::shared_ptr<ProbeRun>(std::move(entry.run)),
                                             plan = std::move(entry.running_plan)] {});
  for (const Outcome& outcome : outcomes) {
    for (Series* series : series_for(entry, outcome)) take(entry, *series, outcome, stalled);
  }
  ++results_;
  drop_stale_addresses(entry);
  start_waiting();
}

std::vector<Scheduler::Series*> Scheduler::series_for(Entry& entry, const Outcome& outcome) {
  const bool each = entry.plan->run.addresses == AddressMode::all;
  if (each && !outcome.address.empty()) {
    // The row that stood for "no address known" has had its day.
    if (const auto none = entry.series.find(""); none != entry.series.end()) {
      drop_series(*none->second);
      entry.series.erase(none);
    }
    const auto known = entry.series.find(outcome.address);
    if (known != entry.series.end()) return {known->second.get()};
    return {&add_series(entry, outcome.address)};
  }
  if (entry.series.empty()) return {&add_series(entry, "")};
  std::vector<Series*> all;  // the name did not resolve: that holds for every address
  for (auto& [address, series] : entry.series) all.push_back(series.get());
  return all;
}

Scheduler::Series& Scheduler::add_series(Entry& entry, const std::string& address) {
  const Plan& plan = *entry.plan;
  auto series = std::make_unique<Series>();
  series->row = around_.store.add(ProbeStore::RowSpec{plan.upstream, plan.target.target.label,
                                                      address, plan.target.type, plan.service,
                                                      plan.labels, plan.interval});
  TargetStatus& status = series->status;
  status.upstream = plan.upstream;
  status.target = plan.target.target.label;
  status.address = address;
  status.type = plan.target.type;
  status.service = plan.service;
  status.origin = plan.origin;
  status.interval = plan.interval;
  series->last_seen = around_.engine.loop.now();
  series->board_slot = around_.board.add(std::make_shared<const TargetStatus>(status));
  return *(entry.series[address] = std::move(series));
}

void Scheduler::drop_series(Series& series) {
  if (series.row) around_.store.remove(*series.row);
  around_.board.remove(series.board_slot);
}

void Scheduler::drop_stale_addresses(Entry& entry) {
  const Time now = around_.engine.loop.now();
  std::erase_if(entry.series, [&](auto& item) {
    if (item.first.empty() || now - item.second->last_seen < kAddressKept) return false;
    drop_series(*item.second);
    return true;
  });
}

void Scheduler::take(Entry& entry, Series& series, const Outcome& outcome, Duration stalled) {
  const Plan& plan = *entry.plan;
  HostCircumstances host;
  host.stalled = stalled;
  host.resolver_dead = around_.engine.resolver.dead();
  host.no_default_route = outcome.error == ErrorClass::unreachable && !around_.has_default_route();
  const LocalTrouble trouble = local_trouble(outcome, host, plan.run.timeout);
  around_.metrics.count_local_error(trouble);
  if (!outcome.address.empty()) series.last_seen = around_.engine.loop.now();

  TargetStatus& status = series.status;
  const WallTime wall = around_.engine.loop.wall_now();
  const Verdict before = series.state.verdict();
  status.verdict = series.state.take(outcome.success(), trouble, plan.rise, plan.fall);
  const bool flipped = !status.last || status.last->success() != outcome.success();
  if (flipped) status.state_change = wall;
  if (outcome.success()) status.last_success = wall;
  status.last_run = wall;
  ++status.attempts;
  if (!outcome.success()) ++status.failures;
  if (series.row) {
    around_.store.record(
        *series.row,
        ProbeStore::Sample{outcome, status.verdict, wall, status.state_change, status.last_success,
                           stalled == Duration::zero(), around_.engine.loop.now()});
  }
  publish(entry, series, outcome, trouble);
  if (status.verdict != before) around_.on_verdict(status, before);
  if (trouble == LocalTrouble::none) recheck_if_first_failure(entry, series);
}

void Scheduler::publish(Entry& entry, Series& series, const Outcome& outcome,
                        LocalTrouble trouble) {
  const Plan& plan = *entry.plan;
  TargetStatus& status = series.status;
  // Certificate facts outlive a result that never got as far as TLS.
  std::optional<TlsFacts> tls = outcome.tls;
  if (!tls && status.last) tls = status.last->tls;
  status.last = outcome;
  status.last->tls = std::move(tls);
  status.local_trouble = trouble;
  status.first_check = outcome.error == ErrorClass::none
                           ? ""
                           : fill_command(info(outcome.error), plan.target.target, plan.service);
  around_.board.update(series.board_slot, std::make_shared<const TargetStatus>(status));
}

void Scheduler::recheck_if_first_failure(Entry& entry, const Series& series) {
  const Outcome& last = *series.status.last;
  if (last.success() || series.state.failures() != 1) return;
  if (info(last.error).retry == Retry::never || phase_of(last.error) == Phase::local) return;
  // Spread over 0.8 to 1.2 s by the target's hash: what failed together is not asked together.
  const Duration jitter(static_cast<std::int64_t>(entry.hash % 400'000'000U) - 200'000'000);
  const Time now = around_.engine.loop.now();
  const Time when = now + kRecheckAfter + jitter;
  if (when < next_slot(entry, now)) arm(entry, when);
}

}  // namespace ua
