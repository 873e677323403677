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
  bool forwarded = false;      ///< some header is_forwarding()
  bool authenticated = false;  ///< by a password, or a certificate of a known authority
  bool tls = false;
};

/// Pages other than /metrics and the health checks answer to whoever has authenticated, and else to
/// this host alone: the peer must be loopback, the Host a literal or localhost (else a web page
/// elsewhere could read us by DNS rebinding), and no proxy may stand between. With authentication
/// none of that matters: a browser gives a password to the origin that it was typed for, and a
/// certificate under the name that ours is for, and a proxy that passes them on was given them.
/// @return why not, with what to do; nullopt where it may
std::optional<std::string> refuse_private(const AccessRequest& request);

/// For requests that change something: as above, and no foreign page may have sent it, whoever the
/// client is: a browser adds what it knows of us to what other pages send, too.
std::optional<std::string> refuse_action(const AccessRequest& request);

/// "localhost", "localhost:123", "127.0.0.1", "[::1]:123", any address literal.
bool is_local_name(std::string_view host);

/// Loopback, IPv4 within IPv6 included, or a Unix socket. A null address is nobody's.
bool is_loopback(const sockaddr* peer);

/// Forwarded or X-Forwarded-*, in any case.
bool is_forwarding(std::string_view header_name);

}  // namespace ua
