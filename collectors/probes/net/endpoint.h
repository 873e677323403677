// SPDX-License-Identifier: Apache-2.0
// Where a socket connects to: an IP address with port, or a Unix socket's path. A value.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ua {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  std::uint16_t port() const;  ///< 0 for a Unix socket
  std::string zone() const;    ///< "%eth0" of a link-local address; empty: none
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
  /// "192.0.2.1", "2001:db8::1", without zone and port; empty for a Unix socket.
  std::string ip() const;
  /// "192.0.2.1:80", "[2001:db8::1]:80", "/run/app.sock".
  std::string text() const;
};

bool is_link_local(const Endpoint& endpoint);

/// nullopt where `literal` is no IPv4 or IPv6 address. An IPv6 zone such as %eth0 is understood; it
/// has 1 to 15 letters, digits, '.', '-' and '_'.
std::optional<Endpoint> ip_endpoint(std::string_view literal, std::uint16_t port);
/// nullopt where the path is longer than sun_path holds (107 bytes), or holds a NUL.
std::optional<Endpoint> unix_endpoint(std::string_view path);

}  // namespace ua
