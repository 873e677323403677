// SPDX-License-Identifier: Apache-2.0
// UTF-8 once more, written after the Unicode standard's tables and not after our own code, so that
// the one can be held against the other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ua::fuzz {

/// Bytes of the well-formed sequence that `text` begins with (Unicode 15, table 3-7); 0 for none.
std::size_t well_formed(std::string_view text);
bool is_utf8(std::string_view text);
/// @param sequence one that is well-formed
char32_t value_of(std::string_view sequence);

/// One line that a terminal shows as it is: UTF-8 without control characters (C0, DEL, C1), without
/// line separators and without anything of the property Bidi_Control.
bool is_printable_line(std::string_view text);

/// With each byte that is no UTF-8 and each control character but those in `kept` as U+FFFD.
std::string with_replacements(std::string_view bytes, std::string_view kept);

}  // namespace ua::fuzz
