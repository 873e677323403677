// SPDX-License-Identifier: Apache-2.0
#include "agent/web/connections.h"

#include <sys/socket.h>

#include <array>
#include <deque>
#include <map>
#include <utility>

#include "collectors/core/unique_fd.h"
#include "collectors/probes/endpoint.h"
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

constexpr ua::Connections::Peer kA = 1;
constexpr ua::Connections::Peer kB = 2;
constexpr ua::Connections::Peer kUnixSocket = 0;

struct Fixture {
  ua::Time now{1h};
  std::map<int, std::uint64_t> delivered;  // by descriptor; what is not there is not known
  std::map<int, ua::Time> heard;           // likewise: when something last came
  ua::Connections connections{{.all = 3, .per_peer = 2},
                              {.handshake = 4s, .request = 5s, .reply = 15s, .give_way = 1s},
                              [this](int fd) -> std::optional<std::uint64_t> {
                                const auto it = delivered.find(fd);
                                if (it == delivered.end()) return std::nullopt;
                                return it->second;
                              },
                              [this](int fd) -> std::optional<ua::Duration> {
                                const auto it = heard.find(fd);
                                if (it == heard.end()) return std::nullopt;
                                return now - it->second;
                              }};
  void open(const Pair& pair, ua::Connections::Peer peer = kUnixSocket) {
    connections.accepted(peer);
    connections.opened(&pair, peer, pair.server.get(), now);
  }
  /// Its request is here and its reply of 1000 bytes is made.
  void reply(const Pair& pair, std::uint64_t acknowledged = 0) {
    delivered[pair.server.get()] = acknowledged;
    connections.owes_reply(&pair, now);
    connections.sends_reply(&pair, 1000, now);
  }
  void advance(ua::Duration by) {
    now += by;
    connections.end_overdue(now);
  }
};

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
