// SPDX-License-Identifier: Apache-2.0
// What a configuration asks for and this process may not do, as far as that can be told without
// doing it. May wait for a disk. Main thread of a command.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"

namespace ua {

/// A sentence each: sockets that it may not connect to, ports that it may not listen on, figures of
/// the host that it may not read, and too few file descriptors.
std::vector<std::string> out_of_reach(const Config& config);

}  // namespace ua
