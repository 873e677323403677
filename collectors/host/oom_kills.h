// SPDX-License-Identifier: Apache-2.0
// How many processes the kernel has killed for memory, from /proc/vmstat. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

/// Fails on kernels before 4.13, which do not count.
Result<std::uint64_t> parse_oom_kills(std::string_view vmstat);

}  // namespace ua
