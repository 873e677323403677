// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/diagnostic.h"

namespace ua {

std::string Diagnostic::text() const {
  std::string result = file;
  if (line != 0) {
    result += ':' + std::to_string(line) + ':' + std::to_string(column);
  }
  return result + ": " + message;
}

}  // namespace ua
