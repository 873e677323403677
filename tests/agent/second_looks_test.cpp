// SPDX-License-Identifier: Apache-2.0
#include "agent/second_looks.h"

#include <fcntl.h>

#include <vector>

#include "collectors/core/epoll_loop.h"
#include "collectors/core/fake_loop.h"
#include "tests/catch.h"
#include "tests/loopback.h"

namespace ua {
namespace {

TargetStatus failing(std::uint16_t port, ErrorClass error = ErrorClass::reset_before_headers) {
  TargetStatus status;
  status.upstream = "a";
  status.target = "http://127.0.0.1:" + std::to_string(port) + '/';
  status.verdict = Verdict::down;
  status.last = Outcome{};
  status.last->error = error;
  status.last->address = "127.0.0.1:" + std::to_string(port);
  return status;
}

TargetStatus well(TargetStatus status) {
  status.verdict = Verdict::up;
  status.last->error = ErrorClass::none;
  return status;
}

/// How many have connected since the last time.
int connections(const test::Listener& server) {
  int count = 0;
  while (server.accept_now()) ++count;
  return count;
}

TEST_CASE("a target that flaps is looked at again once a minute") {
  const test::Listener server(AF_INET, 10);
  FakeLoop loop;
  SecondLooks looks(loop, [](const TargetStatus&, Finding) {});
  const TargetStatus down = failing(server.port());
  looks.on_verdict(down);
  CHECK(connections(server) == 1);
  for (int i = 0; i < 5; ++i) {
    loop.advance(9s);
    looks.on_verdict(well(down));
    looks.on_verdict(down);
  }
  CHECK(connections(server) == 0);
  loop.advance(15s);
  looks.on_verdict(well(down));
  CHECK(connections(server) == 0);
  looks.on_verdict(down);
  CHECK(connections(server) == 1);
}

TEST_CASE("a refusal is not looked at again") {
  const test::Listener server(AF_INET, 10);
  FakeLoop loop;
  SecondLooks looks(loop, [](const TargetStatus&, Finding) {});
  looks.on_verdict(failing(server.port(), ErrorClass::connect_refused));
  CHECK(connections(server) == 0);
}

TEST_CASE("a fleet that goes down is not looked at all at once") {
  const test::Listener server(AF_INET, 100);
  FakeLoop loop;
  SecondLooks looks(loop, [](const TargetStatus&, Finding) {});
  for (int i = 0; i < 50; ++i) {
    TargetStatus status = failing(server.port());
    status.upstream = std::to_string(i);
    looks.on_verdict(status);
  }
  CHECK(connections(server) == static_cast<int>(SecondLooks::kMostAtOnce));
}

TEST_CASE("a finding holds for as long as the target fails as it did then") {
  const test::Listener server(AF_INET, 10);
  EpollLoop loop;
  std::vector<Finding> found;
  SecondLooks looks(loop, [&](const TargetStatus&, Finding finding) {
    found.push_back(finding);
    loop.stop();
  });
  const TargetStatus down = failing(server.port());
  looks.on_verdict(down);
  const UniqueFd peer = server.accept();
  const char alert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28};
  REQUIRE(::send(peer.get(), alert, sizeof alert, 0) == sizeof alert);
  const Timer deadline = loop.after(10s, [&] { loop.stop(); });
  loop.run();
  CHECK(found == std::vector{Finding::speaks_tls});
  CHECK(looks.found_for(down) == Finding::speaks_tls);
  CHECK(looks.found_for(failing(server.port(), ErrorClass::connect_refused)) == Finding::nothing);
  looks.on_verdict(well(down));
  CHECK(looks.found_for(down) == Finding::nothing);
}

TEST_CASE("what is found after the target came up is not said") {
  const test::Listener server(AF_INET, 10);
  EpollLoop loop;
  std::vector<Finding> found;
  SecondLooks looks(loop, [&](const TargetStatus&, Finding finding) { found.push_back(finding); });
  const TargetStatus down = failing(server.port());
  looks.on_verdict(down);
  const UniqueFd peer = server.accept();
  looks.on_verdict(well(down));
  const char alert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28};
  ::send(peer.get(), alert, sizeof alert, MSG_NOSIGNAL);
  const Timer end = loop.after(200ms, [&] { loop.stop(); });
  loop.run();
  CHECK(found.empty());
  CHECK(looks.found_for(down) == Finding::nothing);
}

}  // namespace
}  // namespace ua
