// SPDX-License-Identifier: Apache-2.0
// The status page: one HTML document out of values, whole without its script and without anything
// from elsewhere. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/web/status_data.h"

namespace ua {

/// @param nonce letters and digits, another one for each reply: style and script are allowed by it
std::string render_status_page(const StatusData& data, std::string_view nonce);

/// What goes with it as Content-Security-Policy.
std::string status_page_policy(std::string_view nonce);

}  // namespace ua
