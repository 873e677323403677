// SPDX-License-Identifier: Apache-2.0
// TCP connections by state, by listened-on port, and the listeners' queues. Up to 40 ms at 55 000
// sockets, hence on the sampling thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <vector>

#include "collectors/core/sock_diag.h"
#include "collectors/host/proc_file.h"

namespace ua {

/// Which local ports are counted apart.
struct PortsApart {
  std::vector<std::uint16_t> watched;  ///< even while nothing listens on them
  bool listening = true;               ///< and each that is listened on
};

/// Counts through sock_diag, asking for as few sockets as will do: those in rare states one by one,
/// established and time_wait (nearly all of a busy host) only where they belong to a port that is
/// counted apart; their totals come from /proc/net. Where the kernel has no sock_diag the sample
/// fails, but still counts by /proc/net/tcp.
class ConnectionSampler final : public HostSampler {
 public:
  ConnectionSampler(const std::filesystem::path& proc, PortsApart ports)
      : net_(proc / "net"), ports_(std::move(ports)) {}
  std::string_view name() const override { return "connections"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  Result<TcpConnections> count() const;
  Result<TcpConnections> count_by_proc() const;

  std::filesystem::path net_;
  PortsApart ports_;
};

/// At most 256: the watched ones, then the lowest that are listened on.
std::set<std::uint16_t> ports_apart(const PortsApart& ports,
                                    const std::vector<DiagSocket>& listeners);

/// Adds up sockets. Pure.
class ConnectionCount {
 public:
  explicit ConnectionCount(const std::set<std::uint16_t>& ports_apart);
  void add(const DiagSocket& socket);
  /// Counts the socket for its port alone.
  void add_to_port(const DiagSocket& socket);
  void set_total(TcpState state, std::uint64_t count);
  std::uint64_t total(TcpState state) const;
  std::uint64_t fin_wait2_minis() const { return fin_wait2_minis_; }
  const TcpConnections& result() const { return result_; }

 private:
  void add_queue(const DiagSocket& listener);

  TcpConnections result_;
  std::uint64_t fin_wait2_minis_ = 0;
};

}  // namespace ua
