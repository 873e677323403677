// SPDX-License-Identifier: Apache-2.0
// What to probe: one target URL, taken apart. A value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

struct Target {
  std::string scheme;            ///< lower case, one of probe_types.h
  bool tls = false;              ///< Scheme::tls
  bool connects_itself = false;  ///< Scheme::connects_itself
  std::string host;  ///< name or address literal without brackets; empty for a Unix socket
  std::uint16_t port = 0;
  std::string unix_path;  ///< of the socket; empty for a network target
  std::string path;       ///< "/path?query", "/" by default; empty where the scheme has none
  std::string label;      ///< metric label: the URL as written, without query and fragment

  /// Reached by a redirect that left the scheme, host or port of the configured target, at this hop
  /// or before: what was configured for that target (credentials, headers, names) is not for this.
  bool foreign_origin = false;
  /// Reached by a redirect that asks for GET, without a body, whatever the method was.
  bool as_get = false;

  bool is_unix() const { return !unix_path.empty(); }
  bool is_tls() const { return tls; }
  /// "host:port", IPv6 in brackets; a Unix socket's path.
  std::string authority() const;
};

/// Takes apart `http://host:port/path`, `tcp://host:port`, `http+unix:///run/app.sock:/path`,
/// `tcp+unix:///run/app.sock` and the like. Credentials in the URL are refused (they would show in
/// the configuration and in process lists), so are control characters.
Result<Target> parse_target(std::string_view url);

/// What a redirect's Location (RFC 3986 section 5) means, seen from `base`. Only http and https.
Result<Target> resolve_location(const Target& base, std::string_view location);

}  // namespace ua
