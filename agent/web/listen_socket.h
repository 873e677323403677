// SPDX-License-Identifier: Apache-2.0
// Opens a listening socket from an address as people write it.
#pragma once

#include <string>
#include <string_view>

#include "collectors/core/result.h"
#include "collectors/core/unique_fd.h"

namespace ua {

struct ListenSocketFd {
  UniqueFd fd;
  std::string text;  ///< as bound: "[::]:10917", "127.0.0.1:40123", "unix:/run/a.sock"
};

/// ":10917" (IPv4 and IPv6 on one socket; IPv4 alone where IPv6 is off), "127.0.0.1:10917",
/// "[::1]:10917", "localhost:10917", "unix:/path". Port 0 takes a free one.
Result<ListenSocketFd> open_listen_socket(std::string_view address);

}  // namespace ua
