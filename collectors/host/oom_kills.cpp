// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/oom_kills.h"

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {

Result<std::uint64_t> parse_oom_kills(std::string_view vmstat) {
  for (const std::string_view line : split(vmstat, '\n')) {
    if (!line.starts_with("oom_kill ")) continue;
    const auto count = number<std::uint64_t>(trim(line.substr(9)));
    if (!count) return fail("/proc/vmstat: oom_kill is no number");
    return *count;
  }
  return fail("/proc/vmstat: no oom_kill (kernels before 4.13 have none)");
}

}  // namespace ua
