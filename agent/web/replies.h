// SPDX-License-Identifier: Apache-2.0
// What the server says of its own accord. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/web/router.h"
#include "collectors/core/result.h"

namespace ua {

struct WebReply {
  unsigned code = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
};

WebReply text_reply(unsigned code, std::string body);

/// 404, 405 or 501.
WebReply refusal_reply(const Route& route);

/// 401, the same whatever was wrong.
WebReply unauthorized_reply();
/// 429: more passwords than can be checked.
WebReply busy_reply();

WebReply reload_reply(const Result<std::string>& reloaded);

}  // namespace ua
