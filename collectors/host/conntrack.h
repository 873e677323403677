// SPDX-License-Identifier: Apache-2.0
// How full the kernel's table of tracked connections is. Sampling thread.
#pragma once

#include <filesystem>
#include <string_view>

#include "collectors/host/proc_file.h"

namespace ua {

/// @param count, limit nf_conntrack_count and nf_conntrack_max of /proc/sys/net/netfilter; a limit
///     of 0 is none
Result<Conntrack> parse_conntrack(std::string_view count, std::string_view limit);

/// Where the kernel tracks no connections there is nothing to tell, and that is no failure.
class ConntrackSampler final : public HostSampler {
 public:
  explicit ConntrackSampler(const std::filesystem::path& proc)
      : directory_(proc / "sys" / "net" / "netfilter") {}
  std::string_view name() const override { return "conntrack"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  std::filesystem::path directory_;
};

}  // namespace ua
