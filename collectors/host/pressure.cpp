// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/pressure.h"

#include "collectors/core/text.h"

namespace ua {

Result<Pressure> parse_pressure(std::string_view pressure) {
  Pressure result;
  for (const std::string_view line : split(pressure, '\n')) {
    const auto fields = words(line);
    if (fields.empty() || !fields.back().starts_with("total=")) continue;
    const auto total = number<std::uint64_t>(fields.back().substr(6));
    if (!total) return fail("/proc/pressure: total is no number");
    const double seconds = static_cast<double>(*total) / 1e6;
    if (fields[0] == "some") result.waiting = seconds;
    if (fields[0] == "full") result.stalled = seconds;
  }
  if (!result.waiting) return fail("/proc/pressure: no line \"some\"");
  return result;
}

Result<void> PressureSampler::sample(HostSnapshot& into) {
  Result<void> sampled;
  for (const char* resource : {"cpu", "io", "memory"}) {
    const Result<Pressure> pressure =
        read_proc_file(directory_ / resource).and_then(parse_pressure);
    if (pressure) {
      into.pressure[resource] = *pressure;
    } else if (sampled) {
      sampled = tl::unexpected(pressure.error());
    }
  }
  return sampled;
}

}  // namespace ua
