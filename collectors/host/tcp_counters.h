// SPDX-License-Identifier: Apache-2.0
// What TCP has done since boot, from /proc/net/snmp and /proc/net/netstat. Sampling thread.
#pragma once

#include <filesystem>
#include <string_view>

#include "collectors/host/proc_file.h"

namespace ua {

/// RFC 4022 and the kernel's TcpExt. Counts IPv4 and IPv6 together.
Result<TcpCounters> parse_tcp_counters(std::string_view snmp, std::string_view netstat);

class TcpCounterSampler final : public HostSampler {
 public:
  explicit TcpCounterSampler(const std::filesystem::path& proc) : net_(proc / "net") {}
  std::string_view name() const override { return "tcp"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  std::filesystem::path net_;
};

}  // namespace ua
