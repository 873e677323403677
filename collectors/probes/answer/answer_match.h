// SPDX-License-Identifier: Apache-2.0
// Whether an HTTP answer's headers and body are as the configuration expects them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/core/outcome.h"
#include "collectors/probes/answer/answer_options.h"

namespace ua {

/// The first expectation that was not met.
struct Mismatch {
  std::string detail;   ///< the option's name
  std::string message;  ///< for people; holds nothing of the answer
};

/// Of all of them together.
std::uint64_t match_steps(const AnswerPatterns& patterns, std::string_view headers,
                          std::string_view body);

/// @param headers lines as they came in; a line that begins with a blank continues the one before
std::optional<Mismatch> find_mismatch(const AnswerPatterns& patterns, std::string_view headers,
                                      std::string_view body);

/// Makes a mismatch the result's class.
void apply_mismatch(const std::optional<Mismatch>& mismatch, Outcome& outcome);

}  // namespace ua
