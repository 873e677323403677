// SPDX-License-Identifier: Apache-2.0
#include "agent/diagnosis/phase_bars.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ua {
namespace {

constexpr std::size_t kPhases = kTimedPhaseCount - 1;  // without the total
constexpr double kWorthABar = 0.02;                    // of the total

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

}  // namespace

std::vector<PhaseBar> phase_bars(const Outcome& outcome) {
  const PhaseTimes& times = outcome.times;
  const auto total = times.get(TimedPhase::total);
  if (!total || *total <= Duration::zero()) return {};
  Duration rest = *total;
  for (std::size_t i = 0; i < kPhases; ++i) {
    rest -= times.get(static_cast<TimedPhase>(i)).value_or(Duration::zero());
  }
  const auto ended_in =
      outcome.error == ErrorClass::none ? std::nullopt : timed(phase_of(outcome.error));
  const auto part = [&](Duration value) {
    return std::clamp(to_seconds(value) / to_seconds(*total), 0.0, 1.0);
  };

  std::vector<PhaseBar> result;
  Duration begin{0};
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    if (const auto value = times.get(phase)) {
      result.push_back({name(phase), part(begin), part(*value), *value, false});
      begin += *value;
    } else if (phase == ended_in && rest > Duration::zero()) {
      result.push_back({name(phase), part(begin), part(rest), rest, true});
      begin += std::exchange(rest, Duration::zero());
    }
  }
  if (part(rest) >= kWorthABar) result.push_back({"other", 0, 0, rest, false});
  return result;
}

}  // namespace ua
