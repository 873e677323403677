// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/unicode.h"

#include <algorithm>
#include <array>

namespace ua::fuzz {
namespace {

struct Row {
  unsigned char first, last;    // lead byte
  unsigned char second, until;  // the byte after it
  std::size_t bytes;
};
constexpr std::array<Row, 9> kTable{{
    {0x00, 0x7F, 0, 0, 1},
    {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
}};

unsigned char at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

bool within(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

bool fits(const Row& row, std::string_view text) {
  if (!within(at(text, 0), row.first, row.last)) return false;
  if (row.bytes > 1 && !within(at(text, 1), row.second, row.until)) return false;
  for (std::size_t i = 2; i < row.bytes; ++i) {
    if (!within(at(text, i), 0x80, 0xBF)) return false;
  }
  return true;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool is_bidi_control(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::size_t well_formed(std::string_view text) {
  if (text.empty()) return 0;
  const auto* const row = std::find_if(kTable.begin(), kTable.end(),
                                       [text](const Row& one) { return fits(one, text); });
  return row == kTable.end() ? 0 : row->bytes;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = well_formed(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

char32_t value_of(std::string_view sequence) {
  if (sequence.size() == 1) return at(sequence, 0);
  char32_t value = at(sequence, 0) & (0xFFU >> (sequence.size() + 1));
  for (std::size_t i = 1; i < sequence.size(); ++i) value = value * 64 + at(sequence, i) % 64;
  return value;
}

bool is_printable_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = well_formed(text);
    if (bytes == 0) return false;
    const char32_t c = value_of(text.substr(0, bytes));
    if (is_control(c) || is_bidi_control(c) || c == 0x2028 || c == 0x2029) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string with_replacements(std::string_view bytes, std::string_view kept) {
  std::string result;
  while (!bytes.empty()) {
    const std::size_t length = well_formed(bytes);
    const std::string_view sequence = bytes.substr(0, std::max<std::size_t>(length, 1));
    const bool control = length != 0 && is_control(value_of(sequence)) &&
                         kept.find(sequence) == std::string_view::npos;
    result += length == 0 || control ? "\xEF\xBF\xBD" : sequence;
    bytes.remove_prefix(sequence.size());
  }
  return result;
}

}  // namespace ua::fuzz
