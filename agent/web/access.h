// SPDX-License-Identifier: Apache-2.0
// Who may have which page. Pure, so that the rule is a table in a test.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace ua {

/// What the rule looks at. Absent headers are empty.
struct AccessRequest {
  bool from_loopback = false;  ///< of is_loopback()
  std::string_view host;
  std::string_view origin;
  bool forwarded = false;  ///< some header is_forwarding()
};

/// Pages other than /metrics and the health checks answer to this host alone: the peer must be
/// loopback, the Host a literal or localhost (else a web page elsewhere could read us by DNS
/// rebinding), and no proxy may stand between.
/// @return why not, with what to do; nullopt where it may
std::optional<std::string> refuse_private(const AccessRequest& request);

/// For requests that change something: as above, and no foreign page may have sent it.
std::optional<std::string> refuse_action(const AccessRequest& request);

/// "localhost", "localhost:123", "127.0.0.1", "[::1]:123", any address literal.
bool is_local_name(std::string_view host);

/// Loopback, IPv4 within IPv6 included, or a Unix socket. A null address is nobody's.
bool is_loopback(const sockaddr* peer);

/// Forwarded or X-Forwarded-*, in any case.
bool is_forwarding(std::string_view header_name);

}  // namespace ua
