// SPDX-License-Identifier: Apache-2.0
// Regular expressions of the configuration over what peers answer. Pure.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

using Regex = std::shared_ptr<const re2::RE2>;

/// Over bytes, which need not be UTF-8. The error says what is wrong with the pattern.
Result<Regex> compile_regex(const std::string& pattern);

/// What matching costs at most, in steps of some nanoseconds: RE2 is linear, but a megabyte under
/// counted repetitions still takes seconds.
std::uint64_t match_steps(const re2::RE2& regex, std::string_view text);

/// Beyond that many steps a worker matches, not the loop.
inline constexpr std::uint64_t kMaxStepsOnLoop = 1'000'000;

}  // namespace ua
