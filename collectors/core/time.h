// SPDX-License-Identifier: Apache-2.0
// The time types of the whole program. Nothing but a Loop reads a clock; everyone else is handed a
// value of these types.
#pragma once

#include <chrono>

namespace ua {

using Duration = std::chrono::nanoseconds;
/// CLOCK_MONOTONIC: for schedules, deadlines and latencies.
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// CLOCK_REALTIME: for exported timestamps and certificate dates only.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

using namespace std::chrono_literals;

/// Seconds as Prometheus wants them.
constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr double to_seconds(WallTime t) { return to_seconds(t.time_since_epoch()); }

}  // namespace ua
