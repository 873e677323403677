// SPDX-License-Identifier: Apache-2.0
#include "agent/show_time.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ua {
namespace {

std::string utc(WallTime time, const char* format) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day ymd{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, static_cast<int>(ymd.year()),
                static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer.data();
}

}  // namespace

std::string show_date(WallTime time) { return utc(time, "%04d-%02u-%02u %02d:%02d:%02d UTC"); }

std::string iso_date(WallTime time) { return utc(time, "%04d-%02u-%02uT%02d:%02d:%02dZ"); }

std::string show_age(WallTime now, WallTime then) {
  const auto seconds = std::max<std::int64_t>(0, (now - then) / 1s);
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

std::string show_brief(Duration value) {
  std::array<char, 32> text{};
  const double seconds = to_seconds(value);
  if (seconds < 0.00995) {
    std::snprintf(text.data(), text.size(), "%.1f ms", seconds * 1e3);
  } else if (seconds < 0.9995) {
    std::snprintf(text.data(), text.size(), "%.0f ms", seconds * 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.2f s", seconds);
  }
  return text.data();
}

}  // namespace ua
