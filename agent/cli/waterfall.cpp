// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/waterfall.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace ua {
namespace {

constexpr std::size_t kWidth = 40;
constexpr std::size_t kPhases = kTimedPhaseCount - 1;  // without the total
constexpr double kWorthALine = 0.02;                   // of the total

std::optional<TimedPhase> timed(Phase phase) {
  switch (phase) {
    case Phase::dns:
      return TimedPhase::dns;
    case Phase::connect:
      return TimedPhase::connect;
    case Phase::tls:
      return TimedPhase::tls;
    case Phase::request:
      return TimedPhase::request;
    case Phase::response_headers:
      return TimedPhase::response_headers;
    case Phase::response_body:
      return TimedPhase::response_body;
    default:
      return std::nullopt;
  }
}

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
  const PhaseTimes& times = outcome.times;
  const auto total = times.get(TimedPhase::total);
  if (!total || *total <= Duration::zero()) return {};
  Duration rest = *total;
  for (std::size_t i = 0; i < kPhases; ++i) {
    rest -= times.get(static_cast<TimedPhase>(i)).value_or(Duration::zero());
  }
  const auto ended_in =
      outcome.error == ErrorClass::none ? std::nullopt : timed(phase_of(outcome.error));
  const auto part = [&](Duration value) { return to_seconds(value) / to_seconds(*total); };

  std::string result;
  Duration begin{0};
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    if (const auto value = times.get(phase)) {
      result += row(name(phase), bar(part(begin), part(*value), '='), *value);
      begin += *value;
    } else if (phase == ended_in && rest > Duration::zero()) {
      result += row(name(phase), bar(part(begin), part(rest), '.'), rest);
      begin += std::exchange(rest, Duration::zero());
    }
  }
  if (part(rest) >= kWorthALine) result += row("other", "", rest);
  return result + row("total", std::string(kWidth, '='), *total);
}

}  // namespace ua
