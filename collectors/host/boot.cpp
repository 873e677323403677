// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/boot.h"

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {

Result<std::uint64_t> parse_boot_time(std::string_view stat) {
  for (const std::string_view line : split(stat, '\n')) {
    if (!line.starts_with("btime ")) continue;
    const auto seconds = number<std::uint64_t>(trim(line.substr(6)));
    if (!seconds) return fail("/proc/stat: btime is no number");
    return *seconds;
  }
  return fail("/proc/stat: no btime");
}

}  // namespace ua
