// SPDX-License-Identifier: Apache-2.0
// When the host started, from /proc/stat. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

/// proc(5), btime: seconds since 1970. A step of the clock moves it.
Result<std::uint64_t> parse_boot_time(std::string_view stat);

}  // namespace ua
