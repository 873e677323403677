// SPDX-License-Identifier: Apache-2.0
// What the standard output is.
#pragma once

#include <cstddef>

namespace ua {

bool writes_to_terminal();

/// On a terminal that knows colours, unless NO_COLOR is set.
bool wants_colour();

/// Of the terminal; 0 where there is none.
std::size_t terminal_columns();

}  // namespace ua
