// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/curl/curl_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace ua {

void CurlSocket::attach(CURL* handle, UniqueFd connected,
                        std::function<void(int fd)> before_close) {
  connects_itself_ = !connected;
  waiting_ = std::move(connected);
  before_close_ = std::move(before_close);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &CurlSocket::open);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, &CurlSocket::set_up);
  curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, this);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, &CurlSocket::close);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, this);
}

curl_socket_t CurlSocket::open(void* data, curlsocktype /*purpose*/,
                               curl_sockaddr* /*address*/) noexcept {
  auto& self = *static_cast<CurlSocket*>(data);
  if (std::exchange(self.used_, true)) return CURL_SOCKET_BAD;
  if (self.connects_itself_) {
    self.waiting_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!self.waiting_) self.error_ = errno;
  }
  self.in_use_ = self.waiting_.release();
  return self.in_use_ >= 0 ? self.in_use_ : CURL_SOCKET_BAD;
}

int CurlSocket::set_up(void* data, curl_socket_t /*fd*/, curlsocktype /*purpose*/) noexcept {
  const auto& self = *static_cast<CurlSocket*>(data);
  return self.connects_itself_ ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ALREADY_CONNECTED;
}

int CurlSocket::close(void* data, curl_socket_t fd) noexcept {
  auto& self = *static_cast<CurlSocket*>(data);
  if (self.before_close_) self.before_close_(fd);
  self.in_use_ = -1;
  return ::close(fd);
}

}  // namespace ua
