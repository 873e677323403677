// SPDX-License-Identifier: Apache-2.0
// What [upstream.fastcgi] says: what is asked for, and what an answer must be like. Plain values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/probes/answer/answer_options.h"

namespace ua {

struct FastcgiOptions {
  std::string method = "GET";
  std::string script_filename;  ///< SCRIPT_FILENAME; empty: the target's path
  /// Beside those of CGI (RFC 3875), or instead of them.
  std::vector<std::pair<std::string, std::string>> params;
  StatusSet expect_status;
  AnswerPatterns patterns;
  std::uint64_t max_body = 1024ULL * 1024;  ///< bytes
};

/// Reports every mistake; the values returned are usable defaults where there was one.
FastcgiOptions read_fastcgi_options(TableReader& upstream, const ProbeLimits& limits);

}  // namespace ua
