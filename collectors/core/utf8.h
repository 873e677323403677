// SPDX-License-Identifier: Apache-2.0
// Taking UTF-8 apart, one code point at a time (RFC 3629). Pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace ua {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  ///< 0: the text does not begin with a valid sequence
};

/// The code point that `text` begins with. Overlong forms, surrogates, values above U+10FFFF and
/// cut sequences are invalid.
CodePoint decode_utf8(std::string_view text);

}  // namespace ua
