// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/handshake_gate.h"

#include <deque>
#include <vector>

#include "collectors/core/fake_loop.h"
#include "tests/catch.h"

namespace ua {
namespace {

struct Gate {
  FakeLoop loop;
  HandshakeGate gate{loop};
  std::deque<HandshakeGate::Ticket> tickets;
  std::vector<std::size_t> let_in_later;

  /// @return how many of `count` may begin at once
  std::size_t enter(std::size_t count) {
    std::size_t at_once = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t number = tickets.size();
      if (gate.enter(tickets.emplace_back(), [this, number] { let_in_later.push_back(number); })) {
        ++at_once;
      }
    }
    return at_once;
  }
};

TEST_CASE("so many handshakes begin, the others follow in order as those end") {
  Gate g;
  CHECK(g.enter(HandshakeGate::kMaxYoung + 3) == HandshakeGate::kMaxYoung);
  g.tickets[0].leave();
  CHECK(g.let_in_later.empty());  // not from inside
  g.loop.advance(0s);
  CHECK(g.let_in_later == std::vector<std::size_t>{HandshakeGate::kMaxYoung});
  g.tickets[1].leave();
  g.tickets[2].leave();
  g.loop.advance(0s);
  CHECK(g.let_in_later.size() == 3);
  CHECK(g.let_in_later.back() == HandshakeGate::kMaxYoung + 2);
}

TEST_CASE("peers that never answer do not hold up the rest") {
  Gate g;
  g.enter(HandshakeGate::kMaxYoung * 2);
  g.loop.advance(HandshakeGate::kYoung - 1ms);
  CHECK(g.let_in_later.empty());
  g.loop.advance(2ms);
  CHECK(g.let_in_later.size() == HandshakeGate::kMaxYoung);
}

TEST_CASE("who leaves the line is not called, and its place is nobody's loss") {
  Gate g;
  g.enter(HandshakeGate::kMaxYoung + 2);
  g.tickets[HandshakeGate::kMaxYoung].leave();
  g.tickets[0].leave();
  g.tickets[0].leave();  // twice is once
  g.loop.advance(0s);
  CHECK(g.let_in_later == std::vector<std::size_t>{HandshakeGate::kMaxYoung + 1});
  for (auto& ticket : g.tickets) ticket.leave();
  CHECK(g.enter(HandshakeGate::kMaxYoung) == HandshakeGate::kMaxYoung);
}

TEST_CASE("one that ends after it grew old frees no second place") {
  Gate g;
  g.enter(HandshakeGate::kMaxYoung);
  g.loop.advance(HandshakeGate::kYoung);
  CHECK(g.enter(HandshakeGate::kMaxYoung) == HandshakeGate::kMaxYoung);
  for (std::size_t i = 0; i < HandshakeGate::kMaxYoung; ++i) g.tickets[i].leave();
  CHECK(g.enter(1) == 0);
}

TEST_CASE("no newcomer passes the line") {
  Gate g;
  g.enter(HandshakeGate::kMaxYoung + 1);
  g.tickets[0].leave();
  CHECK(g.enter(1) == 0);
  g.loop.advance(0s);
  CHECK(g.let_in_later == std::vector<std::size_t>{HandshakeGate::kMaxYoung});
}

}  // namespace
}  // namespace ua
