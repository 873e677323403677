// SPDX-License-Identifier: Apache-2.0
// The agent's own series (upstream_agent_*): the only place that names them. Owned by the agent;
// every method may be called on any thread.
#pragma once

#include <prometheus/registry.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/scheduler/target_status.h"
#include "collectors/core/time.h"

namespace ua {

/// Why a due run did not happen; values of the label `reason` of
/// upstream_agent_probes_skipped_total.
enum class SkipReason : std::uint8_t {
  still_running,  ///< the run before had not ended
  max_in_flight,  ///< limits.max_in_flight was reached, and the run came late or not at all
  paused,         ///< this process was stopped or the machine suspended
};
inline constexpr std::size_t kSkipReasonCount = 3;
std::string_view name(SkipReason reason);

class AgentMetrics {
 public:
  /// @param registry keeps the series; must outlive this
  explicit AgentMetrics(prometheus::Registry& registry);
  ~AgentMetrics();
  AgentMetrics(const AgentMetrics&) = delete;
  AgentMetrics& operator=(const AgentMetrics&) = delete;

  void observe_loop_lag(Duration lag);
  void set_probes_in_flight(std::size_t count);
  void count_skipped(SkipReason reason, std::uint64_t count = 1);
  /// `none` is not counted.
  void count_local_error(LocalTrouble trouble);
  /// @param when of the attempt; exported where it succeeded
  void set_reload(bool success, WallTime when);
  /// @param handler of a closed set (the routes and "other"), never a path from a request
  void count_http_request(std::string_view handler, unsigned code);
  /// @param not_after of the endpoints' certificate; nullopt without TLS, and no series then
  void set_web_certificate(std::optional<std::chrono::sys_seconds> not_after);
  /// Whether the certificate's files, as they are now, could be loaded.
  void set_web_certificate_loaded(bool success);
  void set_memory_bound(std::uint64_t bytes);
  /// Totals kept elsewhere; a total below the last one is ignored.
  void set_log_dropped(std::uint64_t total);
  void set_series(std::uint64_t series, std::uint64_t limit, std::uint64_t dropped_total);
  /// @param part of the metrics page, a constant; @param count of what was left out
  void count_render_errors(const std::string& part, std::uint64_t count);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ua
