// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/target_state.h"

#include <algorithm>

#include "collectors/core/loop.h"

namespace ua {

LocalTrouble local_trouble(const Outcome& outcome, const HostCircumstances& host,
                           Duration timeout) {
  if (outcome.success()) return LocalTrouble::none;
  switch (outcome.error) {
    case ErrorClass::config_invalid:
      return LocalTrouble::config_invalid;
    case ErrorClass::local_resources_exhausted:
      return LocalTrouble::resources_exhausted;
    case ErrorClass::permission_denied:
      return LocalTrouble::permission_denied;
    case ErrorClass::dns_timeout:
    case ErrorClass::dns_failed:
      if (host.resolver_dead) return LocalTrouble::resolver_dead;
      break;
    case ErrorClass::unreachable:
      if (host.no_default_route) return LocalTrouble::no_default_route;
      break;
    default:
      break;
  }
  // A short hold-up does not make a five second time-out; a quarter of it may.
  const Duration limit = std::max<Duration>(Loop::kStallThreshold, timeout / 4);
  return host.stalled >= limit ? LocalTrouble::loop_stalled : LocalTrouble::none;
}

Verdict RiseFall::take(bool success, LocalTrouble trouble, unsigned rise, unsigned fall) {
  if (trouble != LocalTrouble::none) return verdict_;
  if (success) {
    failures_ = 0;
    if (++successes_ >= rise) verdict_ = Verdict::up;
  } else {
    successes_ = 0;
    if (++failures_ >= fall) verdict_ = Verdict::down;
  }
  return verdict_;
}

}  // namespace ua
