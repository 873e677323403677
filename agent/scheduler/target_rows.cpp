// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/target_rows.h"

#include <algorithm>
#include <utility>

#include "agent/diagnosis/first_check.h"
#include "collectors/probes/probe_run.h"

namespace ua {
namespace {

constexpr Duration kAddressKept = 5min;

}  // namespace

struct TargetRows::Result {
  const Outcome& outcome;
  LocalTrouble trouble;
  bool stalled;  ///< the latency is not the upstream's
};

/// One row: its series, its place on the board, its state.
class TargetRows::Row {
 public:
  Row(const Surroundings& around, const TargetPlan& plan, const std::string& address)
      : around_(around), seen_(around.loop.now()) {
    status_.upstream = plan.upstream;
    status_.target = plan.target.target.label;
    status_.address = address;
    status_.type = plan.target.type;
    status_.history = history_;
    set(plan);
    board_slot_ = around_.board.add(std::make_shared<const TargetStatus>(status_));
    admit(plan);
  }
  ~Row() {
    if (series_) around_.store.remove(*series_);
    around_.board.remove(board_slot_);
  }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  void admit(const TargetPlan& plan) {
    if (!series_) series_ = around_.store.add(spec(plan));
  }
  void set_plan(const TargetPlan& plan) {
    const bool same = status_.service == plan.service && status_.origin == plan.origin &&
                      status_.interval == plan.interval;
    if (same) return;
    set(plan);
    around_.board.update(board_slot_, std::make_shared<const TargetStatus>(status_));
    if (series_) around_.store.describe(*series_, spec(plan));
  }

  void see() { seen_ = around_.loop.now(); }
  Time seen() const { return seen_; }

  void take(const TargetPlan& plan, const Result& result, Taken& taken);

 private:
  void set(const TargetPlan& plan) {
    status_.service = plan.service;
    status_.origin = plan.origin;
    status_.interval = plan.interval;
  }
  ProbeStore::RowSpec spec(const TargetPlan& plan) const {
    return {plan.upstream,   plan.target.target.label,
            status_.address, plan.target.type,
            plan.service,    plan.labels,
            plan.interval};
  }
  void count(const Outcome& outcome, WallTime wall);
  void remember(const Result& result);
  std::shared_ptr<const TargetStatus> publish(const TargetPlan& plan, const Result& result);

  const Surroundings& around_;
  std::optional<ProbeStore::Row> series_;  // none where max_series is reached
  std::size_t board_slot_ = 0;
  std::shared_ptr<TargetHistory> history_ = std::make_shared<TargetHistory>();
  TargetStatus status_;
  RiseFall state_;
  Time seen_;  // when the address was last part of an answer
};

void TargetRows::Row::take(const TargetPlan& plan, const Result& result, Taken& taken) {
  const Outcome& outcome = result.outcome;
  const WallTime wall = around_.loop.wall_now();
  const Verdict before = state_.verdict();
  status_.verdict = state_.take(outcome.success(), result.trouble, plan.rise, plan.fall);
  count(outcome, wall);
  remember(result);
  if (series_) {
    around_.store.record(
        *series_, ProbeStore::Sample{outcome, status_.verdict, wall, status_.state_change,
                                     status_.last_success, !result.stalled, around_.loop.now()});
  }
  auto shown = publish(plan, result);
  if (status_.verdict != before) taken.changes.push_back({std::move(shown), before});
  const bool first =
      !outcome.success() && result.trouble == LocalTrouble::none && state_.failures() == 1;
  if (first && info(outcome.error).retry != Retry::never) taken.recheck = true;
}

void TargetRows::Row::count(const Outcome& outcome, WallTime wall) {
  const bool flipped = !status_.last || status_.last->success() != outcome.success();
  if (flipped) status_.state_change = wall;
  if (outcome.error != ErrorClass::slow_response) {
    status_.slow_since.reset();
  } else if (!status_.slow_since) {
    status_.slow_since = wall;
  }
  if (outcome.success()) status_.last_success = wall;
  status_.last_run = wall;
  ++status_.attempts;
  if (!outcome.success()) ++status_.failures;
}

void TargetRows::Row::remember(const Result& result) {
  if (result.trouble != LocalTrouble::none || result.stalled) return;
  using Kind = TargetHistory::Result;
  history_->record(around_.loop.now(), result.outcome.success() ? Kind::success : Kind::failure,
                   result.outcome.times.get(TimedPhase::total).value_or(Duration::zero()));
}

std::shared_ptr<const TargetStatus> TargetRows::Row::publish(const TargetPlan& plan,
                                                             const Result& result) {
  const Outcome& outcome = result.outcome;
  // Certificate facts outlive a result that never got as far as TLS.
  std::optional<TlsFacts> tls = outcome.tls;
  if (!tls && status_.last) tls = std::move(status_.last->tls);
  status_.last = outcome;
  status_.last->tls = std::move(tls);
  status_.local_trouble = result.trouble;
  status_.socket = plan.run.socket;
  status_.first_check =
      outcome.error == ErrorClass::none
          ? ""
          : fill_command(info(outcome.error), plan.target.target, plan.service, outcome,
                         {plan.run.socket.get(), plan.target.flags.get(), plan.upstream});
  auto shown = std::make_shared<const TargetStatus>(status_);
  around_.board.update(board_slot_, shown);
  return shown;
}

TargetRows::TargetRows(const Surroundings& around) : around_(around) {}

TargetRows::~TargetRows() = default;

void TargetRows::set_plan(std::shared_ptr<const TargetPlan> plan) {
  const bool was_each = plan_ && each_address();
  plan_ = std::move(plan);
  if (was_each != each_address()) rows_.clear();
  for (auto& [address, row] : rows_) row->set_plan(*plan_);
}

void TargetRows::admit() {
  if (!each_address() && rows_.empty()) {
    add("");
    return;
  }
  for (auto& [address, row] : rows_) row->admit(*plan_);
}

TargetRows::Taken TargetRows::take(const std::vector<Outcome>& outcomes, Duration stalled) {
  Taken taken;
  for (Outcome outcome : outcomes) {
    // Late because this process stood still: not the upstream's slowness.
    const bool only_late = outcome.error == ErrorClass::slow_response && stalled > Duration::zero();
    if (only_late) outcome.error = ErrorClass::none;
    const Result result{outcome, trouble_of(outcome, stalled), stalled > Duration::zero()};
    around_.metrics.count_local_error(result.trouble);
    for (Row* row : rows_for(outcome)) row->take(*plan_, result, taken);
  }
  drop_stale();
  return taken;
}

LocalTrouble TargetRows::trouble_of(const Outcome& outcome, Duration stalled) const {
  HostCircumstances host;
  host.stalled = stalled;
  host.resolver_dead = around_.resolver_dead();
  host.no_default_route = outcome.error == ErrorClass::unreachable && !around_.has_default_route();
  return local_trouble(outcome, host, plan_->run.timeout);
}

std::vector<TargetRows::Row*> TargetRows::rows_for(const Outcome& outcome) {
  if (each_address() && !outcome.address.empty()) {
    rows_.erase("");  // the row that stood for "no address known" has had its day
    const auto known = rows_.find(outcome.address);
    Row& row = known != rows_.end() ? *known->second : add(outcome.address);
    row.see();
    return {&row};
  }
  if (rows_.empty()) return {&add("")};
  // That there is no result of a single address holds for every one. Only an answer without
  // addresses says that they have gone.
  std::vector<Row*> all;
  for (auto& [address, row] : rows_) {
    if (outcome.error != ErrorClass::dns_not_found) row->see();
    all.push_back(row.get());
  }
  return all;
}

TargetRows::Row& TargetRows::add(const std::string& address) {
  if (!address.empty()) make_room();
  auto& row = rows_[address];
  row = std::make_unique<Row>(around_, *plan_, address);
  return *row;
}

/// A name that has other addresses in each answer must not make ever more series.
void TargetRows::make_room() {
  if (rows_.size() < ProbeRun::kMaxAddresses) return;
  rows_.erase(std::min_element(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
    return a.second->seen() < b.second->seen();
  }));
}

void TargetRows::drop_stale() {
  const Time now = around_.loop.now();
  std::erase_if(rows_, [now](const auto& item) {
    return !item.first.empty() && now - item.second->seen() >= kAddressKept;
  });
}

}  // namespace ua
