// SPDX-License-Identifier: Apache-2.0
// How many connections a second go to one destination. Each that we close first leaves a port in
// TIME_WAIT for a minute, and 28 232 ports allow about 470 a second to one address and port. Owned
// by a ProbeEngine; loop thread.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "collectors/core/time.h"
#include "collectors/probes/net/endpoint.h"

namespace ua {

class ConnectRate {
 public:
  /// Above this a connection is closed by a reset, which leaves nothing behind but shows in the
  /// server's logs.
  static constexpr unsigned kBusy = 50;

  void count(const Endpoint& endpoint, Time now);
  /// More than kBusy connections in this second or the last.
  bool busy(const Endpoint& endpoint) const;

 private:
  using Counts = std::unordered_map<std::uint64_t, unsigned>;  // by hash: a clash does no harm
  Time second_;
  Counts current_;
  Counts last_;
};

/// Makes close() send a reset, at once and without TIME_WAIT.
void close_by_reset(int fd);

}  // namespace ua
