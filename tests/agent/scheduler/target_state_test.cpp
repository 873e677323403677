// SPDX-License-Identifier: Apache-2.0
#include "agent/scheduler/target_state.h"

#include "tests/catch.h"

namespace ua {
namespace {

Outcome failure(ErrorClass error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}

TEST_CASE("rise and fall turn the verdict, single results do not") {
  RiseFall state;
  const auto take = [&](bool success) { return state.take(success, LocalTrouble::none, 2, 3); };
  CHECK(take(true) == Verdict::unknown);
  CHECK(take(true) == Verdict::up);
  CHECK(take(false) == Verdict::up);
  CHECK(take(false) == Verdict::up);
  CHECK(take(true) == Verdict::up);  // the row of failures is broken
  CHECK(take(false) == Verdict::up);
  CHECK(take(false) == Verdict::up);
  CHECK(take(false) == Verdict::down);
  CHECK(take(true) == Verdict::down);
  CHECK(take(true) == Verdict::up);
}

TEST_CASE("local trouble counts neither way") {
  RiseFall state;
  state.take(true, LocalTrouble::none, 1, 2);
  for (int i = 0; i < 10; ++i) {
    CHECK(state.take(false, LocalTrouble::resources_exhausted, 1, 2) == Verdict::up);
  }
  CHECK(state.failures() == 0);
}

TEST_CASE("a failure is this host's own only on evidence") {
  HostCircumstances well;
  CHECK(local_trouble(failure(ErrorClass::connect_refused), well, 5s) == LocalTrouble::none);
  CHECK(local_trouble(failure(ErrorClass::local_resources_exhausted), well, 5s) ==
        LocalTrouble::resources_exhausted);
  CHECK(local_trouble(failure(ErrorClass::dns_timeout), well, 5s) == LocalTrouble::none);
  HostCircumstances deaf;
  deaf.resolver_dead = true;
  CHECK(local_trouble(failure(ErrorClass::dns_timeout), deaf, 5s) == LocalTrouble::resolver_dead);
  CHECK(local_trouble(failure(ErrorClass::dns_not_found), deaf, 5s) == LocalTrouble::none);
  HostCircumstances cut_off;
  cut_off.no_default_route = true;
  CHECK(local_trouble(failure(ErrorClass::unreachable), cut_off, 5s) ==
        LocalTrouble::no_default_route);
  HostCircumstances stopped;
  stopped.stalled = 2s;
  CHECK(local_trouble(failure(ErrorClass::response_timeout), stopped, 5s) ==
        LocalTrouble::loop_stalled);
  stopped.stalled = 200ms;
  CHECK(local_trouble(failure(ErrorClass::response_timeout), stopped, 5s) == LocalTrouble::none);
  stopped.stalled = 10s;
  CHECK(local_trouble(Outcome{}, stopped, 5s) == LocalTrouble::none);  // a success is a success
}

}  // namespace
}  // namespace ua
