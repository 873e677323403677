// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/handshake_gate.h"

#include <utility>

namespace ua {

void HandshakeGate::Ticket::leave() {
  if (HandshakeGate* gate = std::exchange(gate_, nullptr)) gate->end(id_);
}

bool HandshakeGate::enter(Ticket& ticket, std::function<void()> go) {
  ticket.leave();
  ticket.gate_ = this;
  ticket.id_ = ++last_id_;
  Place& place = places_[ticket.id_];
  if (young_ < kMaxYoung && line_.empty()) {
    let_in(place);
    return true;
  }
  place.go = std::move(go);
  line_.push_back(ticket.id_);
  return false;
}

void HandshakeGate::let_in(Place& place) {
  ++young_;
  place.ages = loop_.after(kYoung, [this, &place] {
    place.ages = Timer();
    free_one();
  });
}

void HandshakeGate::end(std::uint64_t id) {
  const auto place = places_.extract(id);
  if (place && place.mapped().ages) free_one();
}

/// Admits later: this may be called from inside libcurl, where no transfer can be begun.
void HandshakeGate::free_one() {
  --young_;
  if (!line_.empty() && !admit_) admit_ = loop_.after(Duration::zero(), [this] { admit(); });
}

void HandshakeGate::admit() {
  admit_ = Timer();
  while (young_ < kMaxYoung && !line_.empty()) {
    const auto place = places_.find(line_.front());
    line_.pop_front();
    if (place == places_.end()) continue;
    const auto go = std::exchange(place->second.go, nullptr);
    let_in(place->second);
    go();
  }
}

}  // namespace ua
