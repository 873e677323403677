// SPDX-License-Identifier: Apache-2.0
// A mistake in a configuration, with the place and what to do. Collected, so that all are shown at
// once.
#pragma once

#include <string>
#include <vector>

namespace ua {

struct Diagnostic {
  std::string file;
  unsigned line = 0;    ///< from 1; 0 where the file as a whole is meant
  unsigned column = 0;  ///< from 1
  std::string message;

  std::string text() const;  ///< "file:line:column: message"
};

using Diagnostics = std::vector<Diagnostic>;

}  // namespace ua
