// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/diagnostic.h"

#include "collectors/core/text.h"

namespace ua {

std::string Diagnostic::text() const {
  std::string result = escape_line(file);
  if (line != 0) {
    result += ':' + std::to_string(line) + ':' + std::to_string(column);
  }
  return result + ": " + message;
}

}  // namespace ua
