// SPDX-License-Identifier: Apache-2.0
// TCP connections by state, by listened-on port, and the listeners' queues, through sock_diag. One
// walk of all sockets: up to 40 ms at 55 000 of them, hence on the sampling thread.
#pragma once

#include "collectors/core/collector.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

class ConnectionSampler final : public Collector<HostSnapshot> {
 public:
  std::string_view name() const override { return "connections"; }
  Result<void> sample(HostSnapshot& into) override;
};

/// Counts sockets; listeners must come before the connections to their ports. Pure.
class ConnectionCount {
 public:
  void add_listener(const DiagSocket& listener);
  void add(const DiagSocket& socket);
  const TcpConnections& result() const { return result_; }

 private:
  TcpConnections result_;
};

}  // namespace ua
