// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/waterfall.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/diagnosis/phase_bars.h"

namespace ua {
namespace {

constexpr std::size_t kWidth = 40;

std::string row(std::string_view label, std::string_view bar, Duration value) {
  std::array<char, 128> line{};
  std::snprintf(line.data(), line.size(), "  %-16.*s |%-40.*s| %11s\n",
                static_cast<int>(label.size()), label.data(), static_cast<int>(bar.size()),
                bar.data(), show_time(value).c_str());
  return line.data();
}

/// From `begin` for `length`, both parts of the whole; never nothing at all.
std::string bar(double begin, double length, char fill) {
  const auto column = [](double part) {
    return static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * kWidth);
  };
  const std::size_t from = std::min(column(begin), kWidth - 1);
  const std::size_t to = std::max(column(begin + length), from + 1);
  return std::string(from, ' ') + std::string(to - from, fill);
}

}  // namespace

std::string show_time(Duration value) {
  std::array<char, 32> text{};
  if (value < 1s) {
    std::snprintf(text.data(), text.size(), "%.3f ms", to_seconds(value) * 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.3f s ", to_seconds(value));
  }
  return text.data();
}

std::string waterfall(const Outcome& outcome) {
  const auto total = outcome.times.get(TimedPhase::total);
  if (!total || *total <= Duration::zero()) return {};
  std::string result;
  for (const PhaseBar& part : phase_bars(outcome)) {
    const std::string drawn = part.length == 0 && part.label == "other"
                                  ? ""
                                  : bar(part.begin, part.length, part.unfinished ? '.' : '=');
    result += row(part.label, drawn, part.time);
  }
  return result + row("total", std::string(kWidth, '='), *total);
}

}  // namespace ua
