// SPDX-License-Identifier: Apache-2.0
// Times as people read them. Pure.
#pragma once

#include <string>

#include "collectors/core/time.h"

namespace ua {

/// "2026-03-01 12:00:00 UTC"
std::string show_date(WallTime time);

/// "2026-03-01T12:00:00Z"
std::string iso_date(WallTime time);

/// "12 s", "3 min", "5 h", "2 days"; nothing is in the future.
std::string show_age(WallTime now, WallTime then);

/// "0.5 ms", "12 ms", "1.25 s"
std::string show_brief(Duration value);

}  // namespace ua
