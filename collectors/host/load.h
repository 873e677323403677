// SPDX-License-Identifier: Apache-2.0
// The load averages, from /proc/loadavg. Any thread.
#pragma once

#include <string_view>

#include "collectors/core/result.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

Result<LoadAverage> parse_load(std::string_view loadavg);

}  // namespace ua
