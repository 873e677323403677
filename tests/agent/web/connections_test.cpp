// SPDX-License-Identifier: Apache-2.0
#include "agent/web/connections.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "collectors/core/unique_fd.h"
#include "tests/catch.h"

namespace {

using namespace std::chrono_literals;

/// Both ends of one connection; the server's end is the key.
struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()) == 0);
    server.reset(fds[0]);
    client.reset(fds[1]);
  }
  bool ended() const {
    char byte = 0;
    return recv(client.get(), &byte, 1, 0) == 0;
  }
  ua::UniqueFd server, client;
};

struct Fixture {
  ua::Time now{1h};
  ua::Connections connections{2, {.request = 5s, .reply = 15s, .give_way = 1s}};
  void open(const Pair& pair) {
    connections.accepted();
    connections.opened(&pair, pair.server.get(), now);
  }
  void advance(ua::Duration by) {
    now += by;
    connections.end_overdue(now);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a request that does not come ends its connection", "[web]") {
  const Pair pair;
  open(pair);
  advance(5s);
  CHECK_FALSE(pair.ended());
  advance(1ms);
  CHECK(pair.ended());
}

TEST_CASE_METHOD(Fixture, "a reply has its own time, and the next request again", "[web]") {
  const Pair pair;
  open(pair);
  advance(4s);
  connections.owes_reply(&pair, now);
  advance(15s);
  CHECK_FALSE(pair.ended());
  connections.awaits_request(&pair, now);
  advance(5s);
  CHECK_FALSE(pair.ended());
  connections.owes_reply(&pair, now);
  advance(15s + 1ms);
  CHECK(pair.ended());
}

TEST_CASE_METHOD(Fixture, "what is closed is never touched again", "[web]") {
  const Pair pair;
  open(pair);
  connections.closed(&pair);
  connections.owes_reply(&pair, now);
  advance(1h);
  CHECK_FALSE(pair.ended());
  CHECK(connections.empty());
}

TEST_CASE_METHOD(Fixture, "those on their way count as connections", "[web]") {
  CHECK(connections.empty());
  connections.accepted();
  CHECK_FALSE(connections.empty());
  CHECK_FALSE(connections.full());
  connections.accepted();
  CHECK(connections.full());
  connections.dropped();
  CHECK_FALSE(connections.full());
}

TEST_CASE_METHOD(Fixture, "where all are taken the longest silent gives way, one at a time",
                 "[web]") {
  const Pair first;
  const Pair second;
  open(first);
  advance(500ms);
  open(second);
  REQUIRE(connections.full());
  advance(500ms);
  CHECK_FALSE(first.ended());
  advance(1ms);
  CHECK(first.ended());
  advance(2s);  // its place is not free yet, so nobody else has to go
  CHECK_FALSE(second.ended());
}

TEST_CASE_METHOD(Fixture, "one that is being answered does not give way", "[web]") {
  const Pair first;
  const Pair second;
  open(first);
  open(second);
  connections.owes_reply(&first, now);
  connections.owes_reply(&second, now);
  advance(10s);
  CHECK_FALSE(first.ended());
  CHECK_FALSE(second.ended());
}

TEST_CASE_METHOD(Fixture, "nobody gives way while there is room", "[web]") {
  const Pair pair;
  open(pair);
  advance(4s);
  CHECK_FALSE(pair.ended());
}
