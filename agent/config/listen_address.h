// SPDX-License-Identifier: Apache-2.0
// Where to serve, taken apart. A value; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

struct ListenAddress {
  std::string text;        ///< as written
  std::string host;        ///< an address without brackets; empty: every address, IPv4 and IPv6
  std::uint16_t port = 0;  ///< 0: any free one
  std::string unix_path;   ///< of the socket; empty for a network address

  /// Two sockets cannot both have it. Port 0 is another port each time.
  bool same_place(const ListenAddress& other) const {
    const bool same_port = port == other.port && (port != 0 || !unix_path.empty());
    return same_port && host == other.host && unix_path == other.unix_path;
  }
  bool operator==(const ListenAddress&) const = default;
};

/// ":10917", "127.0.0.1:10917", "[::1]:10917", "localhost:10917" (127.0.0.1), "unix:/path".
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace ua
