// SPDX-License-Identifier: Apache-2.0
// status_page.css and status_page.js as the build embeds them.
#pragma once

#include <string_view>

namespace ua {

extern const std::string_view kStatusPageStyle;
extern const std::string_view kStatusPageScript;

}  // namespace ua
