// SPDX-License-Identifier: Apache-2.0
// Bytes, packets, errors and drops of the network interfaces, from /proc/net/dev. Sampling thread.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/host/proc_file.h"

namespace ua {

using Interfaces = std::vector<std::pair<std::string, Interface>>;

/// The interfaces in the kernel's order, by their printable names. A line that is none is passed
/// over; without any the file is none of the kernel's.
Result<Interfaces> parse_interfaces(std::string_view dev);

/// The host's end of a container's or a virtual machine's link (veth, cali, tap, ...): these come
/// and go with what they serve, each under a new name, and would leave series without end. A bridge
/// of such links is none, nor is tap0 and the like, whose numbers are used again: a VPN has them.
bool is_of_a_guest(std::string_view interface);

/// At most 64, none of a guest; those of `shown` before others, so that nothing takes turns.
Network choose_interfaces(const Interfaces& interfaces, const std::set<std::string>& shown);

class NetworkSampler final : public HostSampler {
 public:
  explicit NetworkSampler(const std::filesystem::path& proc) : path_(proc / "net" / "dev") {}
  std::string_view name() const override { return "network"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  std::filesystem::path path_;
  std::set<std::string> shown_;
};

}  // namespace ua
