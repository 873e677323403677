// SPDX-License-Identifier: Apache-2.0
#include "agent/web/connections.h"

#include <sys/socket.h>

namespace ua {

Connections::Connections(std::size_t limit, WebDeadlines deadlines)
    : limit_(limit), deadlines_(deadlines) {}

void Connections::accepted() {
  const std::lock_guard lock(mutex_);
  ++accepted_;
}

void Connections::dropped() {
  const std::lock_guard lock(mutex_);
  --accepted_;
}

void Connections::opened(Key key, int fd, Time now) {
  const std::lock_guard lock(mutex_);
  --accepted_;
  open_[key] = Open{fd, now};
}

void Connections::closed(Key key) {
  const std::lock_guard lock(mutex_);
  open_.erase(key);
}

void Connections::set(Key key, bool owes_reply, Time now) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(key);
  if (it == open_.end()) return;
  it->second.since = now;
  it->second.owes_reply = owes_reply;
}

void Connections::awaits_request(Key key, Time now) { set(key, false, now); }

void Connections::owes_reply(Key key, Time now) { set(key, true, now); }

bool Connections::full() const {
  const std::lock_guard lock(mutex_);
  return full_locked();
}

bool Connections::empty() const {
  const std::lock_guard lock(mutex_);
  return accepted_ == 0 && open_.empty();
}

void Connections::end(Open& open) {
  if (!open.ended) ::shutdown(open.fd, SHUT_RDWR);
  open.ended = true;
}

void Connections::end_overdue(Time now) {
  const std::lock_guard lock(mutex_);
  Open* longest = nullptr;
  bool one_leaves = false;
  for (auto& [key, open] : open_) {
    if (now - open.since > (open.owes_reply ? deadlines_.reply : deadlines_.request)) end(open);
    if (open.ended) {
      one_leaves = true;
    } else if (!open.owes_reply && (longest == nullptr || open.since < longest->since)) {
      longest = &open;
    }
  }
  const bool gives_way = full_locked() && !one_leaves && longest != nullptr &&
                         now - longest->since > deadlines_.give_way;
  if (gives_way) end(*longest);
}

}  // namespace ua
