// SPDX-License-Identifier: Apache-2.0
// What an answer must be like that has a status, headers and a body: the keys that all protocols
// with such answers share. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/probes/answer/regex.h"

namespace ua {

class TableReader;
struct ProbeLimits;

/// A set of HTTP status codes, kept as ranges.
struct StatusSet {
  std::vector<std::pair<int, int>> ranges{{200, 399}};  ///< inclusive
  bool contains(int status) const;
};

/// What an accepted answer must look like besides its status. Cheap to copy.
struct AnswerPatterns {
  /// Name, in any case, and what one of the values under it must match.
  std::vector<std::pair<std::string, Regex>> expect_header;
  Regex expect_body;  ///< must match somewhere in the body; null: any
  Regex reject_body;  ///< must not match anywhere in the body; null: any

  bool of_body() const { return expect_body != nullptr || reject_body != nullptr; }
  bool any() const { return of_body() || !expect_header.empty(); }
};

/// `expect_status`; each of these reports every mistake, and returns the default where there was
/// one.
StatusSet read_expect_status(TableReader& table);
/// `expect_header`, `expect_body`, `reject_body`
AnswerPatterns read_patterns(TableReader& table);
/// `max_body`, bytes
std::uint64_t read_max_body(TableReader& table, const ProbeLimits& limits);

/// A name as HTTP has them (RFC 9110 section 5.6.2).
bool is_token(std::string_view text);
/// No control characters but tabs.
bool is_field_value(std::string_view text);

}  // namespace ua
