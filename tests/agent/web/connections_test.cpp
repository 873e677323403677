// SPDX-License-Identifier: Apache-2.0
#include "agent/web/connections.h"

#include <array>
#include <deque>

#include "collectors/probes/net/endpoint.h"
#include "tests/agent/web/connections_rig.h"

namespace {

using namespace std::chrono_literals;
using namespace connections_test;

}  // namespace

TEST_CASE_METHOD(Fixture, "a handshake has its own time, and the request its own after it",
                 "[web]") {
  const Pair slow;
  const Pair stuck;
  for (const Pair* pair : {&slow, &stuck}) {
    connections.accepted(kUnixSocket);
    connections.opened(pair, kUnixSocket, pair->server.get(), now, true);
  }
  advance(4s);
  CHECK_FALSE(slow.ended());
  connections.awaits_request(&slow, now);
  advance(1ns);
  CHECK(stuck.ended());
  CHECK_FALSE(slow.ended());
  advance(5s - 1ns);
  CHECK_FALSE(slow.ended());
  advance(1ns);
  CHECK(slow.ended());
}

TEST_CASE_METHOD(Fixture, "who has not ended its handshake gives way as the silent do", "[web]") {
  const Pair handshake;
  const Pair next;
  const Pair last;
  connections.accepted(kA);
  connections.opened(&handshake, kA, handshake.server.get(), now, true);
  now += 1s;
  open(next, kB);
  open(last);
  CHECK(connections.make_room(now));
  CHECK(handshake.ended());
  CHECK_FALSE(next.ended());
}

TEST_CASE_METHOD(Fixture, "who gets on gives way last, but not for longer than a second", "[web]") {
  const Pair gets_on;
  const Pair silent;
  const Pair drips;
  open(gets_on);
  now += 400ms;
  open(silent);
  open(drips);
  now += 100ms;
  heard[gets_on.server.get()] = now - 5ms;
  heard[drips.server.get()] = now - 90ms;
  CHECK(connections.make_room(now));
  CHECK(silent.ended());
  CHECK_FALSE(gets_on.ended());
  CHECK_FALSE(drips.ended());
  const Pair next;
  open(next);
  CHECK(connections.make_room(now));
  CHECK(drips.ended());
  const Pair last;
  open(last);
  now += 500ms;
  heard[gets_on.server.get()] = now;  // for a second now, and still no request
  CHECK(connections.make_room(now));
  CHECK(gets_on.ended());
  CHECK_FALSE(next.ended());
  CHECK_FALSE(last.ended());
}

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

TEST_CASE_METHOD(Fixture, "those on their way take places", "[web]") {
  CHECK(connections.empty());
  for (int i = 0; i < 3; ++i) {
    CHECK(connections.make_room(now));
    connections.accepted(kUnixSocket);
  }
  CHECK_FALSE(connections.empty());
  CHECK_FALSE(connections.make_room(now));
  connections.dropped(kUnixSocket);
  CHECK(connections.make_room(now));
}

TEST_CASE_METHOD(Fixture, "nobody gives way while there is room", "[web]") {
  const Pair pair;
  open(pair);
  CHECK(connections.make_room(now));
  CHECK_FALSE(pair.ended());
}

TEST_CASE_METHOD(Fixture, "where all places are taken the longest silent gives way", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    open(pair);
    advance(1ms);
  }
  connections.owes_reply(&pairs[0], now);
  advance(27ms);
  CHECK_FALSE(connections.make_room(now));  // they may be about to speak
  advance(1ms);
  CHECK(connections.make_room(now));
  CHECK(pairs[1].ended());
  CHECK_FALSE(pairs[0].ended());
  CHECK_FALSE(pairs[2].ended());
}

TEST_CASE_METHOD(Fixture, "a client whose bytes nobody has read yet is not silent", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) open(pair);
  for (const Pair& pair : pairs) send(pair.client.get(), "G", 1, MSG_NOSIGNAL);
  advance(30ms);
  CHECK_FALSE(connections.make_room(now));
  char byte = 0;
  CHECK(recv(pairs[2].server.get(), &byte, 1, 0) == 1);
  CHECK(connections.make_room(now));
  CHECK(pairs[2].ended());
}

TEST_CASE_METHOD(Fixture, "a peer with its share of places loses one of its own", "[web]") {
  const Pair other;
  const std::array<Pair, 3> pairs;
  open(other, kB);
  advance(1ms);
  for (const Pair& pair : pairs) {
    open(pair, kA);
    advance(1ms);
  }
  CHECK(pairs[0].ended());
  CHECK_FALSE(pairs[1].ended());
  CHECK_FALSE(pairs[2].ended());
  CHECK_FALSE(other.ended());
}

TEST_CASE_METHOD(Fixture, "a peer's share holds where all of them come at once, too", "[web]") {
  const std::array<Pair, 3> pairs;
  for (int i = 0; i < 3; ++i) connections.accepted(kA);
  for (const Pair& pair : pairs) {
    connections.opened(&pair, kA, pair.server.get(), now);
    advance(1ms);
  }
  CHECK(pairs[0].ended());
  CHECK_FALSE(pairs[1].ended());
  CHECK_FALSE(pairs[2].ended());
}

TEST_CASE_METHOD(Fixture, "a connection ends with its reply where others want its place", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    open(pair);
    send(pair.client.get(), "G", 1, MSG_NOSIGNAL);  // always the next request
  }
  connections.owes_reply(&pairs[0], now);
  CHECK_FALSE(connections.sends_reply(&pairs[0], 10, now));
  connections.awaits_request(&pairs[0], now);
  CHECK_FALSE(connections.make_room(now));
  connections.owes_reply(&pairs[0], now);
  CHECK(connections.sends_reply(&pairs[0], 10, now + 1s - 1ns));
  CHECK_FALSE(connections.sends_reply(&pairs[0], 10, now + 1s));
  CHECK(connections.sends_reply(nullptr, 10, now));  // ended already
}

TEST_CASE_METHOD(Fixture, "a connection ends with its reply where its peer has too many", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) {
    send(pair.client.get(), "G", 1, MSG_NOSIGNAL);
    open(pair, kA);
  }
  connections.owes_reply(&pairs[0], now);
  CHECK(connections.sends_reply(&pairs[0], 10, now));
  connections.closed(&pairs[0]);
  connections.owes_reply(&pairs[1], now);
  CHECK_FALSE(connections.sends_reply(&pairs[1], 10, now));
}

TEST_CASE_METHOD(Fixture, "who else waits is known", "[web]") {
  const std::array<Pair, 3> pairs;
  open(pairs[0]);
  open(pairs[1]);
  send(pairs[0].client.get(), "G", 1, MSG_NOSIGNAL);
  CHECK_FALSE(connections.others_wait(&pairs[0], now));  // nobody but itself
  CHECK(connections.others_wait(&pairs[1], now));
  connections.owes_reply(&pairs[0], now);
  CHECK_FALSE(connections.others_wait(&pairs[1], now));
  connections.accepted(kB);
  CHECK(connections.others_wait(&pairs[1], now));
  connections.dropped(kB);
  open(pairs[2]);
  CHECK_FALSE(connections.others_wait(&pairs[1], now));
  CHECK_FALSE(connections.make_room(now));
  CHECK(connections.others_wait(&pairs[1], now + 1s - 1ns));
  CHECK_FALSE(connections.others_wait(&pairs[1], now + 1s));
}

TEST_CASE_METHOD(Fixture, "Unix sockets are nobody's share", "[web]") {
  const std::array<Pair, 3> pairs;
  for (const Pair& pair : pairs) open(pair, kUnixSocket);
  for (const Pair& pair : pairs) CHECK_FALSE(pair.ended());
}

TEST_CASE("not more than a few are ended in a moment", "[web]") {
  constexpr std::size_t kPlaces = 40;
  ua::Connections many{{.all = kPlaces, .per_peer = 2}, {}};
  ua::Time now{1h};
  std::deque<Pair> pairs;
  const auto open = [&] {
    const Pair& pair = pairs.emplace_back();
    many.accepted(kUnixSocket);
    many.opened(&pair, kUnixSocket, pair.server.get(), now);
  };
  while (pairs.size() < kPlaces) open();
  now += 30ms;
  for (int i = 0; i < 100; ++i) {
    while (many.make_room(now)) open();
    for (const Pair& pair : pairs) {
      if (pair.ended()) many.closed(&pair);
    }
  }
  CHECK(pairs.size() == kPlaces + 16);
  now += 9ms;
  CHECK_FALSE(many.make_room(now));
  now += 1ms;
  CHECK(many.make_room(now));
}

TEST_CASE_METHOD(Fixture, "what has ended and is not closed yet is not without limit", "[web]") {
  std::deque<Pair> pairs;
  while (connections.make_room(now)) {
    open(pairs.emplace_back());
    now += 30ms;
  }
  CHECK(pairs.size() == 6);
}

TEST_CASE("a peer is an IPv4 address or half an IPv6 address", "[web]") {
  const auto peer = [](const char* address) {
    return ua::Connections::peer_of(ua::ip_endpoint(address, 1)->address());
  };
  CHECK(peer("192.0.2.1") == 0xc0000201);
  CHECK(peer("::ffff:192.0.2.1") == 0xc0000201);
  CHECK(peer("2001:db8::1") == 0x20010db800000000);
  CHECK(peer("2001:db8::ffff:1") == peer("2001:db8::1"));
  CHECK(peer("2001:db8:0:1::1") != peer("2001:db8::1"));
  CHECK(peer("::1") != 0);
  CHECK(ua::Connections::peer_of(ua::unix_endpoint("/a")->address()) == 0);
  CHECK(ua::Connections::peer_of(nullptr) == 0);
}
