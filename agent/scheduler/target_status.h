// SPDX-License-Identifier: Apache-2.0
// What is known of one target (or, with addresses = "all", of one of its addresses). A value made
// on the loop thread after each result and shared read-only with the pages that show it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/scheduler/target_history.h"
#include "collectors/core/outcome.h"

namespace ua {

struct SocketOptions;

enum class Verdict : std::uint8_t { unknown, up, down };
std::string_view name(Verdict verdict);

/// Why a failure is this host's own trouble; values of the label `reason` of
/// upstream_agent_local_errors_total.
enum class LocalTrouble : std::uint8_t {
  none,
  config_invalid,
  resources_exhausted,
  permission_denied,
  resolver_dead,     ///< no configured resolver answered anything for 10 s
  no_default_route,  ///< unreachable, while this host has no default route
  loop_stalled,      ///< this process was stopped or starved during the probe
};
inline constexpr std::size_t kLocalTroubleCount = 6;  ///< without `none`
std::string_view name(LocalTrouble trouble);

struct TargetStatus {
  std::string upstream;
  std::string target;   ///< label text
  std::string address;  ///< set with addresses = "all" only
  std::string type;     ///< "http", "tcp"
  std::string service;
  std::string origin;  ///< where it is configured
  Duration interval{};
  Verdict verdict = Verdict::unknown;
  LocalTrouble local_trouble = LocalTrouble::none;  ///< of the last result
  std::optional<Outcome> last;                      ///< none before the first result
  std::optional<WallTime> last_run;
  std::optional<WallTime> last_success;
  /// When the raw result last changed between success and failure.
  std::optional<WallTime> state_change;
  /// Since when each answer has been correct but late; a failure in between ends that, too.
  std::optional<WallTime> slow_since;
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;
  std::shared_ptr<const SocketOptions> socket;  ///< RunOptions::socket
  std::string first_check;  ///< command with the target's own values filled in; empty while well
  std::shared_ptr<const TargetHistory> history;  ///< goes on after this was made; null: none kept
};

/// Hands statuses from the loop thread to any reader. Slots are stable; a snapshot costs one
/// pointer copy a slot.
class StatusBoard {
 public:
  using Entry = std::shared_ptr<const TargetStatus>;
  std::size_t add(Entry entry);
  void update(std::size_t slot, Entry entry);
  void remove(std::size_t slot);
  std::vector<Entry> snapshot() const;  ///< in slot order, without removed ones

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> free_;
};

}  // namespace ua
