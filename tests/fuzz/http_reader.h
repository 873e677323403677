// SPDX-License-Identifier: Apache-2.0
// A strict reader of HTTP/1 messages after RFC 9112, which takes nothing that two readers could
// take for different things.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ua::fuzz {

struct HttpHead {
  std::string first, second, third;                          ///< of the request's or status line
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case

  std::vector<std::string> all(std::string_view name) const;
  /// "" where there is none, or where there are several.
  std::string one(std::string_view name) const;
};

/// Takes a request without a body off the front; nullopt where there is none.
std::optional<HttpHead> take_request(std::string_view& bytes);

/// Takes a response's head off the front.
std::optional<HttpHead> take_response_head(std::string_view& bytes);

}  // namespace ua::fuzz
