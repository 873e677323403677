// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/outcome.h"

namespace ua {

std::string_view name(TimedPhase phase) {
  static constexpr std::array<std::string_view, kTimedPhaseCount> kNames{
      "dns", "connect", "tls", "request", "response_headers", "response_body", "total"};
  return kNames[static_cast<std::size_t>(phase)];
}

void add_detail(Outcome& outcome, std::string_view token) {
  if (token.empty()) return;
  if (!outcome.detail.empty()) outcome.detail += ',';
  outcome.detail += token;
}

}  // namespace ua
