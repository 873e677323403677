// SPDX-License-Identifier: Apache-2.0
// Asks a running agent over HTTP. Main thread of a command; waits.
#pragma once

#include <optional>
#include <string>

#include "agent/config/config.h"
#include "collectors/core/result.h"
#include "collectors/probes/tls/client_identity.h"

namespace ua {

/// Where an agent serves, and what it takes to be let in.
struct AgentAccess {
  std::string url;          ///< "http://localhost:10917", without a path
  std::string unix_socket;  ///< a path; then `url` only names the scheme and the Host
  std::string user;         ///< empty: none is sent
  std::string password;
  std::string ca_file;                ///< empty: the system's authorities
  std::optional<ClientPem> identity;  ///< the certificate to show; none: none
};

/// Where an agent with this configuration serves this host.
AgentAccess access_of(const WebConfig& web);

/// @param path "/api/v1/upstreams"
/// @return the body of an answer 200; else a sentence that says what to do
Result<std::string> ask_agent(const AgentAccess& access, const std::string& path);

}  // namespace ua
