// SPDX-License-Identifier: Apache-2.0
// The daemon: puts the parts together, reloads them, ends them.
#pragma once

#include "agent/load.h"

namespace ua {

/// Runs until SIGTERM or SIGINT. Returns the exit status: 0, 1 (cannot run), 78 (configuration).
int run_agent(const RunArguments& arguments);

}  // namespace ua
