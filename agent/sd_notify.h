// SPDX-License-Identifier: Apache-2.0
// Tells systemd how it goes (sd_notify(3)): one datagram, no library. Does nothing elsewhere.
#pragma once

#include <optional>
#include <string>

#include "collectors/core/time.h"

namespace ua {

/// @param state "READY=1", "STOPPING=1", "WATCHDOG=1", ...
void notify_systemd(const std::string& state);

/// How often WATCHDOG=1 must be sent at least (WatchdogSec); nullopt: not wanted, or of another
/// process (WATCHDOG_PID).
std::optional<Duration> watchdog_interval();

}  // namespace ua
