// SPDX-License-Identifier: Apache-2.0
// The signals that end or reload the agent, as something to read. Main thread.
#pragma once

#include <optional>

#include "collectors/core/unique_fd.h"

namespace ua {

/// Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it starts from here on, and ignores
/// SIGPIPE.
/// @return a descriptor that is readable while one of them waits
UniqueFd take_signals();

/// The signal that came first; nullopt where none waits.
std::optional<int> next_signal(int signals);

}  // namespace ua
