// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/load.h"

#include <cmath>

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {
namespace {

std::optional<double> average(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || std::signbit(value)) return std::nullopt;
  return value;
}

}  // namespace

Result<LoadAverage> parse_load(std::string_view loadavg) {
  const auto fields = words(trim(loadavg));
  if (fields.size() < 3) return fail("/proc/loadavg: expected three averages");
  const auto one = average(fields[0]);
  const auto five = average(fields[1]);
  const auto fifteen = average(fields[2]);
  if (!one || !five || !fifteen) return fail("/proc/loadavg: not a number");
  return LoadAverage{*one, *five, *fifteen};
}

}  // namespace ua
