// SPDX-License-Identifier: Apache-2.0
// Probes every target on its own fixed grid and hands the results on. Owned by the Agent; loop
// thread.
//
// A target starts
//   at each slot of its grid (grid.h)
//   once early when it is new, at most one target every 10 ms, if that comes before its slot
//   a second after a first failure (0.8 to 1.2 s), if that comes before its slot
//   out of turn after a pause of the process, if that comes before its slot
//   when a place comes free, first come first served, where max_in_flight was reached; who held
//   its place long the last time gets seven eighths of them at most
// and never while its last run is in flight. All but the first two are paced by the mean rate of
// all grids, so that no 100 ms see more than twice the mean and 20 launches, whatever happens.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/scheduler/grid.h"
#include "agent/scheduler/surroundings.h"
#include "collectors/core/loop.h"

namespace ua {

struct TargetPlan;

class Scheduler {
 public:
  Scheduler(Surroundings surroundings, unsigned max_in_flight);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Makes these the targets. One that was there before (same upstream, target and labels) keeps
  /// its counters, its state and its place in the grid; one that is gone ends with its series, and
  /// its run is given up.
  void apply(const std::vector<UpstreamConfig>& upstreams, unsigned max_in_flight);

  std::size_t in_flight() const { return in_flight_; }
  /// How many runs have ended by themselves.
  std::uint64_t results() const { return results_; }

 private:
  struct Entry;
  enum class Turn : std::uint8_t { slot, waited, extra };
  using Entries = std::map<std::string, std::unique_ptr<Entry>>;

  Entry* enter(Entries& next, const UpstreamConfig& upstream, const TargetConfig& target);
  void change(Entry& entry, std::shared_ptr<const TargetPlan> plan);
  void give_up(Entry& entry);
  void leave(const Entry& entry);
  void drop(Entries& gone);
  void start_early(std::vector<Entry*> fresh);
  void set_pace();

  void arm(Entry& entry, Time when, bool on_grid);
  void on_due(Entry& entry, Time planned, bool on_grid);
  bool make_up(Entry& entry, Duration late);
  void overlap(Entry& entry, Time slot);
  void count_overlapped(const Entry& entry);
  bool has_place(bool lingers) const;
  Entry* first_waiting() const;
  void start(Entry& entry, Turn turn);
  void launch(Entry& entry, Turn turn);
  void start_waiting();
  void on_outcomes(Entry& entry, const std::vector<Outcome>& outcomes, Duration stalled);
  void after_run(Entry& entry, bool recheck);
  void keep_ticking();

  const Surroundings around_;
  unsigned max_in_flight_;
  Entries entries_;
  // Due, but there is no place: those that answered last time, and those that linger.
  std::array<std::deque<Entry*>, 2> waiting_;
  std::uint64_t tickets_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t lingering_ = 0;  // of them
  std::uint64_t results_ = 0;
  Duration mean_gap_ = 1s;  // between two runs where all go by their grids
  Pacer early_;
  Pacer rechecks_;
  Pacer made_up_;
  Pacer batches_;
  Timer next_batch_;  // of waiting_
  Timer tick_;        // while probes run, so that a pause of the process is noticed
};

}  // namespace ua
