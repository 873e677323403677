// SPDX-License-Identifier: Apache-2.0
// Who may have which page. Pure, so that the rule is a table in a test.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ua {

/// What the rule looks at. Absent headers are empty.
struct AccessRequest {
  bool from_loopback = false;  ///< the peer's address is loopback, or it came by a Unix socket
  std::string_view host;
  std::string_view origin;
  bool forwarded = false;  ///< has Forwarded or any X-Forwarded-* header
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

}  // namespace ua
