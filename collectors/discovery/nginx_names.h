// SPDX-License-Identifier: Apache-2.0
// Under which names nginx speaks to an upstream: the Host header and the server name of TLS. Pure.
#pragma once

#include <string>

#include "collectors/discovery/nginx_address.h"
#include "collectors/discovery/nginx_scope.h"

namespace ua {

struct NginxName {
  std::string text;
  std::string problem;  ///< why it is not what nginx sends; empty: it is
};

/// Host header of the requests to `address`.
/// @param variables those that are set
NginxName nginx_host(const NginxSettings& settings, const NginxAddress& address,
                     const NginxLookup& variables);

/// What TLS asks for (SNI) and verifies; empty: nothing is asked for.
NginxName nginx_server_name(const NginxSettings& settings, const NginxAddress& address,
                            const NginxLookup& variables);

}  // namespace ua
