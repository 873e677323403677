// SPDX-License-Identifier: Apache-2.0
// Opens a listening socket from an address as people write it.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

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

/// ":10917" (IPv4 and IPv6 on one socket; IPv4 alone where IPv6 is off), "127.0.0.1:10917",
/// "[::1]:10917", "localhost:10917", "unix:/path". Port 0 takes a free one. Of a Unix socket, what
/// a run before left behind is replaced, one that is served is an error.
Result<ListenSocket> open_listen_socket(std::string_view address);

}  // namespace ua
