// SPDX-License-Identifier: Apache-2.0
// Keeps a burst of TLS handshakes, 0.8 ms of CPU each, from timing itself out: only so many begin
// at a time, the others wait in line. Only young handshakes count, so that peers that never answer
// do not hold up the rest. Owned by a ProbeEngine; loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "collectors/core/loop.h"

namespace ua {

class HandshakeGate {
 public:
  static constexpr std::size_t kMaxYoung = 16;
  /// A handshake that takes longer waits for its peer, not for this host's CPU.
  static constexpr Duration kYoung = 200ms;

  /// One's place in the gate or in the line before it; left when destroyed.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { leave(); }
    void leave();

   private:
    friend class HandshakeGate;
    HandshakeGate* gate_ = nullptr;
    std::uint64_t id_ = 0;
  };

  explicit HandshakeGate(Loop& loop) : loop_(loop) {}
  HandshakeGate(const HandshakeGate&) = delete;
  HandshakeGate& operator=(const HandshakeGate&) = delete;

  /// @return whether the handshake may begin now; else `go` is called when it may, never from
  /// inside.
  [[nodiscard]] bool enter(Ticket& ticket, std::function<void()> go);

 private:
  struct Place {
    std::function<void()> go;  // null once it went in
    Timer ages;                // armed while young
  };
  void let_in(Place& place);
  void end(std::uint64_t id);
  void free_one();
  void admit();

  Loop& loop_;
  std::map<std::uint64_t, Place> places_;
  std::deque<std::uint64_t> line_;  // may name places that were left
  std::size_t young_ = 0;
  std::uint64_t last_id_ = 0;
  Timer admit_;
};

}  // namespace ua
