// SPDX-License-Identifier: Apache-2.0
// Where a proxy_pass, a fastcgi_pass, ... leads, taken apart as nginx does it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

/// IPv6 in brackets.
bool is_ip_literal(const std::string& host);

/// What is asked of an upstream. Those without a probe of their own yet are connected to.
enum class NginxProtocol : std::uint8_t { http, https, connect };

struct NginxPass {
  std::string_view directive;
  std::string_view prefixes;  ///< that an address may have, e.g. "uwsgi:// suwsgi://"
  NginxProtocol protocol;
};

struct NginxAddress {
  NginxProtocol protocol = NginxProtocol::connect;
  std::string host;  ///< name or address as it is written, IPv6 in brackets; "unix:/path"
  std::string port;  ///< as it is written; empty: not given
  std::string uri;   ///< "/path?query"; empty: not given, the request's own is passed on

  bool is_name() const { return !is_unix() && !is_ip_literal(host); }
  bool is_unix() const { return host.starts_with("unix:"); }
  /// What proxy_pass takes where no port is given; empty: nothing, one must be given.
  std::string_view default_port() const;
  /// $proxy_host: the Host header that is sent unless another is set.
  std::string proxy_host() const;
};

/// The directive's row where it stands in a `stream` or `http` block; null: none.
const NginxPass* find_nginx_pass(std::string_view directive, bool stream);

/// @param text expanded; kUnknown in its URI cuts that short
Result<NginxAddress> parse_nginx_address(std::string_view text, const NginxPass& pass);

/// "host:port" of a server in an `upstream` block, or "unix:/path".
Result<NginxAddress> parse_nginx_server(std::string_view text);

/// In our syntax.
/// @param port where `address` names none
std::string nginx_url(const NginxAddress& address, NginxProtocol protocol, std::string_view port,
                      std::string_view uri);

}  // namespace ua
