// SPDX-License-Identifier: Apache-2.0
// Those whose reply is made or read.
#include "agent/web/connections.h"

#include <array>

#include "tests/agent/web/connections_rig.h"

namespace {

using namespace std::chrono_literals;
using namespace connections_test;

}  // namespace

TEST_CASE_METHOD(Fixture, "one whose reply is being made does not give way", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    open(pair);
    connections.owes_reply(&pair, now);
  }
  advance(10s);
  CHECK_FALSE(connections.make_room(now));
}

TEST_CASE_METHOD(Fixture, "where none is silent the slowest reader gives way", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    open(pair);
    reply(pair, 500);  // of an earlier reply
  }
  delivered[pairs[0].server.get()] = 500 + 110;
  delivered[pairs[1].server.get()] = 500 + 10;
  delivered[pairs[2].server.get()] = 500 + 20;
  advance(99ms);
  CHECK_FALSE(connections.make_room(now));  // too early for a judgement
  advance(1ms);
  CHECK(connections.make_room(now));
  CHECK(pairs[1].ended());
  CHECK_FALSE(pairs[2].ended());
  connections.closed(&pairs[1]);
  const Pair next;
  open(next);
  reply(next);
  CHECK(connections.make_room(now));
  CHECK(pairs[2].ended());
  connections.closed(&pairs[2]);
  const Pair last;
  open(last);
  reply(last);
  CHECK_FALSE(connections.make_room(now));  // at its pace the first one needs 0.9 s
  CHECK_FALSE(pairs[0].ended());
}

TEST_CASE_METHOD(Fixture, "a reader whose pace is not known has a second", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    open(pair);
    reply(pair);
  }
  delivered.clear();
  advance(1s);
  CHECK_FALSE(connections.make_room(now));
  advance(1ms);
  CHECK(connections.make_room(now));
}

TEST_CASE_METHOD(Fixture, "the slowest reader gives way where replies take too much memory",
                 "[web]") {
  ua::Connections few{{.all = 64, .per_peer = 64, .replies = 2, .reply_bytes = 100},
                      {.request = 5s, .reply = 15s, .give_way = 1s},
                      [this](int fd) { return std::optional(delivered[fd]); }};
  const std::array<Pair, 3> pairs;
  const auto reply_to = [&](const Pair& pair, std::uint64_t bytes) {
    few.accepted(kUnixSocket);
    few.opened(&pair, kUnixSocket, pair.server.get(), now);
    few.owes_reply(&pair, now);
    few.sends_reply(&pair, bytes, now);
  };
  reply_to(pairs[0], 1000);
  reply_to(pairs[1], 1000);
  now += 200ms;
  delivered[pairs[0].server.get()] = 900;
  delivered[pairs[1].server.get()] = 100;
  few.end_overdue(now);
  CHECK_FALSE(pairs[1].ended());  // two of them are within what is allowed

  SECTION("whoever else reads keeps its reply") {
    reply_to(pairs[2], 1000);
    CHECK_FALSE(pairs[0].ended());
    CHECK(pairs[1].ended());
    CHECK_FALSE(pairs[2].ended());
  }
  SECTION("small replies take nothing from anybody") {
    few.awaits_request(&pairs[0], now);
    reply_to(pairs[2], 1000);
    CHECK_FALSE(pairs[1].ended());
  }
  SECTION("those that cannot be judged yet are judged later") {
    now -= 150ms;
    reply_to(pairs[2], 1000);
    CHECK_FALSE(pairs[1].ended());
    delivered[pairs[2].server.get()] = 900;
    now += 150ms;
    few.end_overdue(now);
    CHECK(pairs[1].ended());
    CHECK_FALSE(pairs[0].ended());
  }
}

TEST_CASE_METHOD(Fixture, "many small replies are no burden", "[web]") {
  ua::Connections few{{.all = 64, .per_peer = 64, .replies = 2, .reply_bytes = 3000},
                      {.request = 5s, .reply = 15s, .give_way = 1s},
                      [](int) { return std::optional<std::uint64_t>(0); }};
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    few.accepted(kUnixSocket);
    few.opened(&pair, kUnixSocket, pair.server.get(), now);
    few.sends_reply(&pair, 1000, now);
  }
  now += 5s;
  few.end_overdue(now);
  for (const Pair& pair : pairs) CHECK_FALSE(pair.ended());
}

TEST_CASE_METHOD(Fixture, "the longest wait for a page is known", "[web]") {
  const Pair pair;
  open(pair);
  advance(3s);
  CHECK(connections.longest_making(now) == 0s);
  connections.owes_reply(&pair, now);
  advance(2s);
  CHECK(connections.longest_making(now) == 2s);
  connections.sends_reply(&pair, 10, now);
  CHECK(connections.longest_making(now) == 0s);
}
