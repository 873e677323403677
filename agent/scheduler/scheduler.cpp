// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/scheduler.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/scheduler/target_rows.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr Duration kEarlyGap = 10ms;
constexpr Duration kBatchGap = 10ms;
constexpr Duration kMostGap = 20ms;  // few targets need not wait longer for each other
constexpr Duration kTick = 50ms;

}  // namespace

struct Scheduler::Entry {
  Entry(const Surroundings& around, std::uint64_t the_hash, Duration interval)
      : hash(the_hash), grid(the_hash, interval), rows(around) {}

  const std::uint64_t hash;
  Grid grid;
  std::shared_ptr<const TargetPlan> plan;
  TargetRows rows;
  Timer due;  // always armed
  Time due_at;
  bool due_on_grid = true;
  bool lingers = false;  // its last run held its place for more than half its time-out
  bool waiting = false;
  std::uint64_t ticket = 0;  // its place in the order of those that wait
  bool gone = false;
  std::shared_ptr<const TargetPlan> running_plan;  // outlives the run, which refers to it
  std::shared_ptr<void> run;
  Turn turn = Turn::slot;          // of the run
  std::optional<Time> overlapped;  // a slot that came while the run was in flight
};

Scheduler::Scheduler(Surroundings surroundings, unsigned max_in_flight)
    : around_(std::move(surroundings)), max_in_flight_(max_in_flight) {}

Scheduler::~Scheduler() = default;

void Scheduler::apply(const std::vector<UpstreamConfig>& upstreams, unsigned max_in_flight) {
  max_in_flight_ = max_in_flight;
  Entries next;
  std::vector<Entry*> fresh;
  for (const UpstreamConfig& upstream : upstreams) {
    for (const TargetConfig& target : upstream.targets) {
      if (Entry* entry = enter(next, upstream, target)) fresh.push_back(entry);
    }
  }
  entries_.swap(next);
  drop(next);
  set_pace();
  for (auto& [key, entry] : entries_) entry->rows.admit();
  start_early(std::move(fresh));
  start_waiting();
  around_.metrics.set_probes_in_flight(in_flight_);
}

/// @return the entry where it is a new one
Scheduler::Entry* Scheduler::enter(Entries& next, const UpstreamConfig& upstream,
                                   const TargetConfig& target) {
  std::string key = upstream.name + '\0' + target.target.label;
  // Labels stand on the series, so others make another target, but in the same place of the grid.
  const std::uint64_t hash = stable_hash(key);
  for (const auto& [label, value] : upstream.labels) {
    key.append(1, '\0').append(label).append(1, '\0').append(value);
  }
  if (next.contains(key)) return nullptr;
  auto plan = std::make_shared<const TargetPlan>(
      TargetPlan{upstream.name, target, upstream.interval, upstream.rise, upstream.fall,
                 upstream.run, upstream.service, upstream.origin, upstream.labels});
  if (auto known = entries_.extract(key)) {
    change(*known.mapped(), std::move(plan));
    next.insert(std::move(known));
    return nullptr;
  }
  auto& entry = next[std::move(key)];
  entry = std::make_unique<Entry>(around_, hash, upstream.interval);
  entry->plan = plan;
  entry->rows.set_plan(std::move(plan));
  return entry.get();
}

void Scheduler::change(Entry& entry, std::shared_ptr<const TargetPlan> plan) {
  const TargetPlan& before = *entry.plan;
  if (before.interval != plan->interval) {
    entry.grid = Grid(entry.hash, plan->interval);
    const Time slot = entry.grid.next(around_.loop.now());
    if (entry.due_on_grid || slot < entry.due_at) arm(entry, slot, true);
  }
  // Results of one kind must not fill rows of the other.
  if (before.run.addresses != plan->run.addresses) give_up(entry);
  entry.plan = plan;
  entry.rows.set_plan(std::move(plan));
}

void Scheduler::give_up(Entry& entry) {
  if (!entry.run) return;
  entry.run.reset();
  entry.running_plan.reset();
  entry.overlapped.reset();
  leave(entry);
}

void Scheduler::leave(const Entry& entry) {
  --in_flight_;
  if (entry.lingers) --lingering_;
}

void Scheduler::drop(Entries& gone) {
  for (auto& [key, entry] : gone) {
    entry->gone = true;
    give_up(*entry);
  }
  for (auto& queue : waiting_) {
    std::erase_if(queue, [](const Entry* entry) { return entry->gone; });
  }
  gone.clear();
}

/// Those whose slots are furthest gain most, so they come first.
void Scheduler::start_early(std::vector<Entry*> fresh) {
  const Time now = around_.loop.now();
  std::sort(fresh.begin(), fresh.end(), [now](const Entry* a, const Entry* b) {
    return a->grid.next(now) > b->grid.next(now);
  });
  for (Entry* entry : fresh) {
    const Time slot = entry->grid.next(now);
    const Time early = early_.next(now);
    if (early < slot) early_.take(early, kEarlyGap);
    arm(*entry, std::min(early, slot), early >= slot);
  }
}

void Scheduler::set_pace() {
  double rate = 0;  // a second
  for (const auto& [key, entry] : entries_) rate += 1 / to_seconds(entry->plan->interval);
  if (rate == 0) return;
  mean_gap_ = std::chrono::ceil<Duration>(std::chrono::duration<double>(1 / rate));
}

void Scheduler::arm(Entry& entry, Time when, bool on_grid) {
  entry.due_at = when;
  entry.due_on_grid = on_grid;
  entry.due =
      around_.loop.at(when, [this, &entry, when, on_grid] { on_due(entry, when, on_grid); });
}

void Scheduler::on_due(Entry& entry, Time planned, bool on_grid) {
  const Time now = around_.loop.now();
  arm(entry, entry.grid.next(now), true);
  if (now - planned > kOnTime) {
    if (!make_up(entry, now - planned)) {
      // All that came due meanwhile did not happen.
      around_.metrics.count_skipped(
          SkipReason::paused,
          1 + static_cast<std::uint64_t>(entry.grid.slots_between(planned, now)));
    }
  } else if (entry.waiting) {
    around_.metrics.count_skipped(SkipReason::max_in_flight);
  } else if (entry.run) {
    overlap(entry, planned);
  } else {
    start(entry, on_grid ? Turn::slot : Turn::extra);
  }
}

/// After a pause of the process everything is late, and launching all at once would be a herd.
bool Scheduler::make_up(Entry& entry, Duration late) {
  const Time when = made_up_.next(around_.loop.now());
  if (entry.waiting || !entry.grid.worth_making_up(late) || when >= entry.due_at) return false;
  made_up_.take(when, std::min(kMostGap, 2 * mean_gap_));
  arm(entry, when, false);
  return true;
}

void Scheduler::overlap(Entry& entry, Time slot) {
  if (entry.overlapped) count_overlapped(entry);
  entry.overlapped = slot;
}

void Scheduler::count_overlapped(const Entry& entry) {
  if (entry.turn == Turn::extra) return;  // it stands for the slot
  around_.metrics.count_skipped(entry.turn == Turn::waited ? SkipReason::max_in_flight
                                                           : SkipReason::still_running);
}

/// What hangs must not take every place from what answers.
bool Scheduler::has_place(bool lingers) const {
  return in_flight_ < max_in_flight_ &&
         (!lingers || lingering_ < max_in_flight_ - max_in_flight_ / 8);
}

void Scheduler::start(Entry& entry, Turn turn) {
  auto& queue = waiting_[entry.lingers ? 1 : 0];
  if (queue.empty() && has_place(entry.lingers)) return launch(entry, turn);
  entry.waiting = true;
  entry.ticket = ++tickets_;
  queue.push_back(&entry);
  start_waiting();
}

void Scheduler::launch(Entry& entry, Turn turn) {
  entry.turn = turn;
  entry.running_plan = entry.plan;
  around_.metrics.set_probes_in_flight(++in_flight_);
  if (entry.lingers) ++lingering_;
  keep_ticking();
  const TargetPlan& plan = *entry.running_plan;
  entry.run = around_.start_run(
      plan.target, plan.run,
      [this, &entry, started = around_.loop.now(),
       stalled = around_.loop.stalled()](const std::vector<Outcome>& outcomes) {
        leave(entry);
        entry.lingers = around_.loop.now() - started > entry.running_plan->run.timeout / 2;
        on_outcomes(entry, outcomes, around_.loop.stalled() - stalled);
      });
}

/// Whoever has waited longest of those that there is a place for; null: none.
Scheduler::Entry* Scheduler::first_waiting() const {
  Entry* first = nullptr;
  for (const auto& queue : waiting_) {
    if (queue.empty() || !has_place(queue.front()->lingers)) continue;
    if (first == nullptr || queue.front()->ticket < first->ticket) first = queue.front();
  }
  return first;
}

/// A few at a time: after a pause all that hung time out together, which frees every place at once.
void Scheduler::start_waiting() {
  if (next_batch_ || first_waiting() == nullptr) return;
  next_batch_ = around_.loop.at(batches_.next(around_.loop.now()), [this] {
    next_batch_ = Timer();
    batches_.take(around_.loop.now(), kBatchGap);
    for (auto left = std::max<std::int64_t>(1, 2 * kBatchGap / mean_gap_); left > 0; --left) {
      Entry* entry = first_waiting();
      if (entry == nullptr) return;
      waiting_[entry->lingers ? 1 : 0].pop_front();
      entry->waiting = false;
      launch(*entry, Turn::waited);
    }
    start_waiting();
  });
}

void Scheduler::keep_ticking() {
  if (tick_) return;
  tick_ = around_.loop.after(kTick, [this] {
    tick_ = Timer();
    if (in_flight_ > 0) keep_ticking();
  });
}

void Scheduler::on_outcomes(Entry& entry, const std::vector<Outcome>& outcomes, Duration stalled) {
  entry.run.reset();  // it allows that in its callback
  entry.running_plan.reset();
  around_.metrics.set_probes_in_flight(in_flight_);
  ++results_;
  const TargetRows::Taken taken = entry.rows.take(outcomes, stalled);
  after_run(entry, taken.recheck);
  start_waiting();
  // Last, since whoever hears of it may apply another configuration: the entry may be gone then.
  for (const auto& [status, before] : taken.changes) around_.on_verdict(*status, before);
}

void Scheduler::after_run(Entry& entry, bool recheck) {
  const Time now = around_.loop.now();
  if (const auto slot = std::exchange(entry.overlapped, std::nullopt)) {
    // A time-out as long as the interval ends with the slot, or a moment after it.
    if (now - *slot <= kOnTime) return start(entry, Turn::slot);
    count_overlapped(entry);
  }
  // Where everything fails by hanging, re-checks would take twice as many places.
  if (!recheck || 2 * in_flight_ >= max_in_flight_) return;
  const Time when = rechecks_.next(now + recheck_delay(entry.hash));
  if (when >= entry.due_at) return;
  rechecks_.take(when, std::min(kMostGap, mean_gap_));
  arm(entry, when, false);
}

}  // namespace ua
