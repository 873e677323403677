// SPDX-License-Identifier: Apache-2.0
// One exchange with one connected peer: the interface a protocol implements. Resolution,
// connecting, the choice of addresses and the deadline are ProbeRun's and the same for all. Loop
// thread.
#pragma once

#include <functional>
#include <optional>

#include "collectors/core/outcome.h"
#include "collectors/probes/net/dial.h"
#include "collectors/probes/target.h"

namespace ua {

struct ProbeResult {
  Outcome outcome;  ///< without the times, address and count that ProbeRun knows
  /// Go on there (a redirect); outcome holds the times spent so far.
  std::optional<Target> follow;
  /// When the verdict stood, where the probe went on after it for facts alone.
  std::optional<Time> judged_at;
};

class Probe {
 public:
  using Done = std::function<void(ProbeResult)>;

  virtual ~Probe() = default;

  /// Takes the connection and speaks. For a target that connects itself the connection has no
  /// descriptor. `done` is called once, never from inside start(); the probe
  /// may be destroyed in it.
  virtual void start(Connection connection, Done done) = 0;
  /// Time is up: stops and says what is known, in which phase it was. `done` is not called any
  /// more.
  virtual ProbeResult cancel() = 0;
};

}  // namespace ua
