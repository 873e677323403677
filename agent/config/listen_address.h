// SPDX-License-Identifier: Apache-2.0
// Where to serve, taken apart. A value; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

struct ListenAddress {
  std::string host;        ///< an address without brackets; empty: every address, IPv4 and IPv6
  std::uint16_t port = 0;  ///< 0: any free one
  std::string unix_path;   ///< of the socket; empty for a network address
};

/// ":10917", "127.0.0.1:10917", "[::1]:10917", "localhost:10917" (127.0.0.1), "unix:/path".
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace ua
