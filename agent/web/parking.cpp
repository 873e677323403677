// SPDX-License-Identifier: Apache-2.0
#include "agent/web/parking.h"

#include <utility>

namespace ua {

std::optional<Parking::Ticket> Parking::park(MHD_Connection* connection, WebReply& slot,
                                             Time deadline, WebReply late) {
  const std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  parked_[++last_] = Parked{connection, &slot, deadline, std::move(late)};  // may throw
  MHD_suspend_connection(connection);
  return last_;
}

void Parking::resume(const Parked& parked, WebReply reply) {
  *parked.slot = std::move(reply);
  MHD_resume_connection(parked.connection);
}

void Parking::answer(Ticket ticket, WebReply reply) {
  const std::lock_guard lock(mutex_);
  const auto it = parked_.find(ticket);
  if (it == parked_.end()) return;
  resume(it->second, std::move(reply));
  parked_.erase(it);
}

void Parking::expire(Time now) {
  const std::lock_guard lock(mutex_);
  for (auto it = parked_.begin(); it != parked_.end();) {
    if (it->second.deadline > now) {
      ++it;
      continue;
    }
    resume(it->second, std::move(it->second.late));
    it = parked_.erase(it);
  }
}

void Parking::close(const WebReply& reply) {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [ticket, parked] : parked_) resume(parked, reply);
  parked_.clear();
}

}  // namespace ua
