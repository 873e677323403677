// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/paging.h"

#include <limits>

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {
namespace {

std::optional<std::uint64_t> bytes(std::string_view pages, std::uint64_t page_size) {
  const auto value = number<std::uint64_t>(pages);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() / page_size) return std::nullopt;
  return *value * page_size;
}

}  // namespace

Result<Paging> parse_paging(std::string_view vmstat, std::uint64_t page_size) {
  Paging result;
  for (const std::string_view line : split(vmstat, '\n')) {
    const auto fields = words(line);
    if (fields.size() != 2) continue;
    if (fields[0] == "pswpin") result.swapped_in_bytes = bytes(fields[1], page_size);
    if (fields[0] == "pswpout") result.swapped_out_bytes = bytes(fields[1], page_size);
    if (fields[0] == "pgmajfault") result.major_faults = number<std::uint64_t>(fields[1]);
  }
  // A kernel without swap has only the faults.
  if (!result.major_faults) return fail("/proc/vmstat: no pgmajfault");
  return result;
}

}  // namespace ua
