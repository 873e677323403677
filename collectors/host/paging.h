// SPDX-License-Identifier: Apache-2.0
// What went to swap and came back, and pages that had to be read from a disk, from /proc/vmstat.
// Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/core/result.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

/// @param page_size sysconf(_SC_PAGESIZE)
Result<Paging> parse_paging(std::string_view vmstat, std::uint64_t page_size);

}  // namespace ua
