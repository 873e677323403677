// SPDX-License-Identifier: Apache-2.0
// The socket of one libcurl transfer: a connected one handed over, or for a Unix socket a fresh one
// that libcurl connects. A second attempt gets none. Owned by who runs the transfer, which it must
// outlive; loop thread.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <utility>

#include "collectors/core/unique_fd.h"

namespace ua {

class CurlSocket {
 public:
  CurlSocket() = default;
  CurlSocket(const CurlSocket&) = delete;
  CurlSocket& operator=(const CurlSocket&) = delete;

  /// @param connected without a descriptor libcurl gets a Unix socket to connect
  /// @param before_close what to do while the descriptor is still open
  void attach(CURL* handle, UniqueFd connected, std::function<void(int fd)> before_close);

  int fd() const { return in_use_; }    ///< -1 while libcurl has none
  int error() const { return error_; }  ///< errno where no socket could be had

 private:
  static curl_socket_t open(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int set_up(void* self, curl_socket_t fd, curlsocktype purpose) noexcept;
  static int close(void* self, curl_socket_t fd) noexcept;

  UniqueFd waiting_;
  bool connects_itself_ = false;
  bool used_ = false;
  curl_socket_t in_use_ = -1;
  int error_ = 0;
  std::function<void(int)> before_close_;
};

}  // namespace ua
