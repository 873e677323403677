// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/connect_rate.h"

#include "tests/catch.h"

namespace ua {
namespace {

const Endpoint kA = *ip_endpoint("192.0.2.1", 80);
const Endpoint kB = *ip_endpoint("192.0.2.1", 81);

TEST_CASE("a destination is busy above 50 connections a second, and a second longer") {
  ConnectRate rate;
  Time now{std::chrono::hours(1)};
  for (unsigned i = 0; i < ConnectRate::kBusy; ++i) rate.count(kA, now);
  CHECK_FALSE(rate.busy(kA));
  rate.count(kA, now + 900ms);
  CHECK(rate.busy(kA));
  CHECK_FALSE(rate.busy(kB));
  rate.count(kB, now + 1s);
  CHECK(rate.busy(kA));
  rate.count(kB, now + 2s);
  CHECK_FALSE(rate.busy(kA));
}

TEST_CASE("50 a second for ever is not busy, and a long silence is forgotten") {
  ConnectRate rate;
  Time now{std::chrono::hours(1)};
  for (int second = 0; second < 10; ++second, now += 1s) {
    for (int i = 0; i < 50; ++i) rate.count(kA, now);
    CHECK_FALSE(rate.busy(kA));
  }
  for (int i = 0; i < 60; ++i) rate.count(kA, now);
  CHECK(rate.busy(kA));
  rate.count(kB, now + 10s);
  CHECK_FALSE(rate.busy(kA));
}

}  // namespace
}  // namespace ua
