// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/diagnostic.h"

#include <algorithm>

#include "collectors/core/text.h"

namespace ua {

std::string Diagnostic::text() const {
  // What is about the whole file stands at its beginning, so that every line has the same form.
  return escape_line(file) + ':' + std::to_string(std::max(line, 1U)) + ':' +
         std::to_string(std::max(column, 1U)) + ": " + message;
}

}  // namespace ua
