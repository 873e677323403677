// SPDX-License-Identifier: Apache-2.0
// What `status` prints of the API's document: a line a target, the worst first, and under a failing
// one what to check. Pure.
#pragma once

#include <string>
#include <vector>

#include "collectors/core/result.h"

namespace ua {

struct StatusTable {
  std::string text;
  std::size_t failing = 0;  ///< of the targets shown
};

struct StatusTableOptions {
  std::vector<std::string> names;  ///< of the upstreams to show; none: all
  std::size_t width = 0;           ///< longer lines are cut; 0: none is
  bool colour = false;
  std::size_t height = 0;  ///< what comes after that many lines is only counted; 0: nothing is
};

/// @param document of /api/v1/upstreams
/// @return fails where that is no such document, or where it has no upstream of a name asked for;
///     the code is the exit status
Result<StatusTable> status_table(const std::string& document, const StatusTableOptions& options);

}  // namespace ua
