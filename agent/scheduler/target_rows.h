// SPDX-License-Identifier: Apache-2.0
// The rows of results of one target: one, or with addresses = "all" one an address. Applies rise
// and fall and local trouble to each result and shows it in the series and on the status board.
// Owned by the scheduler; loop thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/scheduler/surroundings.h"
#include "agent/scheduler/target_state.h"

namespace ua {

/// What is to be done for one target; replaced as a whole by a reload.
struct TargetPlan {
  std::string upstream;
  TargetConfig target;
  Duration interval{};
  unsigned rise = 2;
  unsigned fall = 2;
  RunOptions run;
  std::string service;
  std::string origin;
  LabelPairs labels;
};

class TargetRows {
 public:
  struct VerdictChange {
    std::shared_ptr<const TargetStatus> status;
    Verdict before;
  };
  struct Taken {
    std::vector<VerdictChange> changes;
    bool recheck = false;  ///< a first failure that another run soon may confirm
  };

  explicit TargetRows(const Surroundings& around);
  ~TargetRows();  ///< ends the series and leaves the board
  TargetRows(const TargetRows&) = delete;
  TargetRows& operator=(const TargetRows&) = delete;

  /// From the next result on. Rows, counters and states stay unless `addresses` changes.
  void set_plan(std::shared_ptr<const TargetPlan> plan);
  /// Makes the row that is there before any result, and asks again for the series that max_series
  /// refused: for after a reload, when others have gone.
  void admit();
  /// @param stalled how long the loop was held up during the run
  Taken take(const std::vector<Outcome>& outcomes, Duration stalled);

 private:
  class Row;
  struct Result;

  bool each_address() const { return plan_->run.addresses == AddressMode::all; }
  LocalTrouble trouble_of(const Outcome& outcome, Duration stalled) const;
  std::vector<Row*> rows_for(const Outcome& outcome);
  Row& add(const std::string& address);
  void make_room();
  void drop_stale();

  const Surroundings& around_;
  std::shared_ptr<const TargetPlan> plan_;
  std::map<std::string, std::unique_ptr<Row>> rows_;  // by address; "": no address, or any
};

}  // namespace ua
