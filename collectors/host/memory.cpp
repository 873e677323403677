// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/memory.h"

#include <array>
#include <limits>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {
namespace {

constexpr std::uint64_t kKib = 1024;

/// nullopt also where the bytes do not fit.
std::optional<std::uint64_t> bytes(std::string_view kib) {
  const auto value = number<std::uint64_t>(kib);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() / kKib) return std::nullopt;
  return *value * kKib;
}

}  // namespace

Result<MemoryInfo> parse_memory(std::string_view meminfo) {
  MemoryInfo result;
  const std::array<std::pair<std::string_view, std::optional<std::uint64_t>*>, 7> wanted{
      {{"MemTotal:", &result.total},
       {"MemFree:", &result.free},
       {"MemAvailable:", &result.available},
       {"Buffers:", &result.buffers},
       {"Cached:", &result.cached},
       {"SwapTotal:", &result.swap_total},
       {"SwapFree:", &result.swap_free}}};
  for (const std::string_view line : split(meminfo, '\n')) {
    const auto fields = words(line);
    if (fields.size() < 2) continue;
    for (const auto& [key, value] : wanted) {
      if (fields[0] == key) *value = bytes(fields[1]);
    }
  }
  if (!result.total) return fail("/proc/meminfo: no MemTotal");
  return result;
}

}  // namespace ua
