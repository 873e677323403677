// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/connect_rate.h"

#include <string_view>

#include "collectors/core/text.h"

namespace ua {
namespace {

std::uint64_t key_of(const Endpoint& endpoint) {
  return stable_hash({reinterpret_cast<const char*>(&endpoint.storage), endpoint.size});
}

}  // namespace

void ConnectRate::count(const Endpoint& endpoint, Time now) {
  if (endpoint.family() == AF_UNIX) return;  // no ports, no TIME_WAIT
  if (now - second_ >= 1s) {
    last_ = now - second_ < 2s ? std::move(current_) : Counts();
    current_ = Counts();
    second_ = now;
  }
  ++current_[key_of(endpoint)];
}

bool ConnectRate::busy(const Endpoint& endpoint) const {
  const auto over = [key = key_of(endpoint)](const Counts& counts) {
    const auto found = counts.find(key);
    return found != counts.end() && found->second > kBusy;
  };
  return over(current_) || over(last_);
}

void close_by_reset(int fd) {
  const linger at_once{1, 0};  // above 0 seconds close() would block
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace ua
