// SPDX-License-Identifier: Apache-2.0
// hosts(5), which the C library asks before any name server.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/options.h"

namespace ua {

class HostsFile {
 public:
  HostsFile() = default;
  /// Pure. Lines that are none are passed over, as the C library does.
  explicit HostsFile(std::string_view text);

  /// Addresses with port 0, in the file's order; empty where the name does not stand there.
  std::vector<Endpoint> find(std::string_view name, IpProtocol protocol) const;

 private:
  std::map<std::string, std::vector<Endpoint>, std::less<>> entries_;  // by name in lower case
};

}  // namespace ua
