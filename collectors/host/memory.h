// SPDX-License-Identifier: Apache-2.0
// Memory and swap, from /proc/meminfo. Any thread.
#pragma once

#include <string_view>

#include "collectors/core/result.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

/// proc(5). What the kernel does not tell (MemAvailable before 3.14) is absent; no MemTotal fails.
Result<MemoryInfo> parse_memory(std::string_view meminfo);

}  // namespace ua
