// SPDX-License-Identifier: Apache-2.0
// How many of the ports for outgoing connections are taken. Up to 20 ms at 28 000 sockets, hence on
// the sampling thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "collectors/core/sock_diag.h"
#include "collectors/host/proc_file.h"

namespace ua {

using PortSet = std::bitset<65536>;

/// /proc/sys/net/ipv4/ip_local_port_range: "32768 60999".
Result<PortRange> parse_port_range(std::string_view range);

/// /proc/sys/net/ipv4/ip_local_reserved_ports: "8080,9148-9150", or nothing.
Result<PortSet> parse_port_list(std::string_view list);

/// Adds up sockets. Pure.
///
/// A port is used where any TCP socket of the network namespace holds it, over IPv4 or IPv6: also
/// in time_wait, which holds it for a minute, and also a listener. A socket that is bound but
/// neither connected nor listening is not seen: the kernel does not list it. A used port may still
/// serve a connection to another destination, so connecting fails when the busiest destination has
/// taken all, which may be long after `used` has come near `available`.
class EphemeralPortCount {
 public:
  EphemeralPortCount(PortRange range, const PortSet& reserved);
  void add(const DiagSocket& socket);
  EphemeralPorts result() const;

 private:
  PortSet available_;
  PortSet used_;
  std::vector<std::uint64_t> destinations_;  // a hash for each connection: 8 bytes instead of 40
};

class EphemeralPortSampler final : public HostSampler {
 public:
  explicit EphemeralPortSampler(const std::filesystem::path& proc) : proc_(proc) {}
  std::string_view name() const override { return "ports"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  Result<void> count_by_proc(EphemeralPortCount& count) const;

  std::filesystem::path proc_;
};

}  // namespace ua
