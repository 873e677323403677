// SPDX-License-Identifier: Apache-2.0
// The Authorization header of a client that gives a password. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ua {

struct BasicCredentials {
  std::string user;
  std::string password;
};

/// RFC 7617: "Basic", in any case, and the base64 of "user:password"; the user ends at the first
/// colon. nullopt for anything else, an encoding that is not the one of its bytes included.
std::optional<BasicCredentials> parse_basic_auth(std::string_view header);

}  // namespace ua
