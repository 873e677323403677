// SPDX-License-Identifier: Apache-2.0
// Under which names nginx speaks to an upstream: the Host header and the server name of TLS. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/discovery/nginx_address.h"
#include "collectors/discovery/nginx_scope.h"

namespace ua {

struct NginxName {
  std::string text;
  std::string problem;  ///< why it is not what nginx sends; empty: it is
};

/// What a variable of nginx's own is in a request to `address`; nullopt: no such one, or of the
/// request. The visitor is taken to ask for the server's first name.
std::optional<std::string> nginx_built_in(std::string_view lower_name,
                                          const NginxSettings& settings,
                                          const NginxAddress& address);

/// Host header of the requests to `address`.
/// @param variables all of them
NginxName nginx_host(const NginxSettings& settings, const NginxAddress& address,
                     const NginxLookup& variables);

/// What TLS asks for (SNI) and verifies; empty: nothing is asked for.
NginxName nginx_server_name(const NginxSettings& settings, const NginxAddress& address,
                            const NginxLookup& variables);

}  // namespace ua
