// SPDX-License-Identifier: Apache-2.0
// Opens a listening socket from an address as people write it.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "agent/config/listen_address.h"
#include "collectors/core/result.h"
#include "collectors/core/unique_fd.h"

namespace ua {

/// Removes the file of a Unix socket at its end, unless another took its place.
class UnixSocketFile {
 public:
  UnixSocketFile() = default;
  explicit UnixSocketFile(std::string path);
  UnixSocketFile(UnixSocketFile&& other) noexcept;
  UnixSocketFile& operator=(UnixSocketFile&& other) noexcept;
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;
  ~UnixSocketFile();

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct ListenSocket {
  UniqueFd fd;
  std::string text;  ///< as bound: "[::]:10917", "127.0.0.1:40123", "unix:/run/a.sock"
  UnixSocketFile file;
};

/// An address without a host takes IPv4 and IPv6 on one socket, IPv4 alone where IPv6 is off. Port
/// 0 takes a free one. Of a Unix socket, what a run before left behind is replaced, one that is
/// served is an error.
Result<ListenSocket> open_listen_socket(const ListenAddress& address);

}  // namespace ua
