// SPDX-License-Identifier: Apache-2.0
// Where this host cannot even ask. What servers answer: tests/e2e, against a real one.
#include "collectors/probes/names/resolver.h"

#include <cerrno>

#include "collectors/core/epoll_loop.h"
#include "tests/catch.h"
#include "tests/loopback.h"

namespace ua {
namespace {

Resolved resolve(const std::string& name) {
  EpollLoop loop;
  Resolver resolver(loop);
  Resolved result;
  const auto query =
      resolver.resolve(name, IpProtocol::v4, loop.now() + 5s, [&](const Resolved& resolved) {
        result = resolved;
        loop.stop();
      });
  loop.run();
  return result;
}

TEST_CASE("no descriptor or no permission for a question is not the resolver's failure") {
  Resolved none_left;
  test::without_sockets(AF_INET, EMFILE, [&] { none_left = resolve("name.invalid"); });
  CHECK(none_left.error == ErrorClass::local_resources_exhausted);
  CHECK(none_left.detail == "errno_24");
  Resolved forbidden;
  test::without_sockets(AF_INET, EPERM, [&] { forbidden = resolve("name.invalid"); });
  CHECK(forbidden.error == ErrorClass::permission_denied);
}

TEST_CASE("localhost needs no question") {
  Resolved resolved;
  test::without_sockets(AF_INET, EMFILE, [&] { resolved = resolve("app.LOCALHOST."); });
  REQUIRE(resolved.addresses.size() == 1);
  CHECK(resolved.addresses[0].text() == "127.0.0.1:0");
}

}  // namespace
}  // namespace ua
