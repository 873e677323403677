// SPDX-License-Identifier: Apache-2.0
// What the standard output is.
#pragma once

#include <cstddef>

namespace ua {

bool writes_to_terminal();

/// On a terminal that knows colours, unless NO_COLOR is set.
bool wants_colour();

struct TerminalSize {
  std::size_t columns = 0, rows = 0;
};

/// Of the terminal; zeros where there is none.
TerminalSize terminal_size();

}  // namespace ua
