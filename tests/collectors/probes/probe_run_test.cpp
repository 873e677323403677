// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_run.h"

#include <vector>

#include "collectors/core/epoll_loop.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/tcp/tcp_probe.h"
#include "tests/catch.h"
#include "tests/loopback.h"

namespace ua {
namespace {

TEST_CASE("a deadline that strikes between two addresses is no success") {
  // localhost has two addresses; neither listener accepts, and both queues are full.
  const test::Listener v6(AF_INET6, 0);
  std::vector<UniqueFd> fillers;
  for (int i = 0; i < 3; ++i) fillers.push_back(v6.connect());
  EpollLoop loop;
  ProbeEngine engine(loop);
  const Target target = *parse_target("tcp://localhost:" + std::to_string(v6.port()));
  const ProbeMaker make = make_tcp_maker();
  RunOptions options;
  options.timeout = 200ms;
  std::vector<Outcome> outcomes;
  ProbeRun run(engine, target, make, options);
  run.start([&](std::vector<Outcome> result) {
    outcomes = std::move(result);
    loop.stop();
  });
  // The first address's share of the time and the deadline come due in one turn of the loop.
  Timer begin = loop.after(20ms, [&] {
    loop.post([&] {
      const Time end = loop.now() + 400ms;
      while (loop.now() < end) std::this_thread::yield();
    });
  });
  loop.run();
  REQUIRE(outcomes.size() == 1);
  CHECK(phase_of(outcomes[0].error) == Phase::connect);
}

}  // namespace
}  // namespace ua
