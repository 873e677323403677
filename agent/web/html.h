// SPDX-License-Identifier: Apache-2.0
// Pieces of HTML out of any bytes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "collectors/core/time.h"

namespace ua {

/// HTML text and attribute content out of any bytes.
std::string html_escape(std::string_view bytes);

/// A <time> whose text is how long ago that was; the page's script keeps it true.
std::string time_ago(WallTime now, WallTime then);

}  // namespace ua
