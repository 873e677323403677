// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/escape.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "collectors/core/utf8.h"

namespace ua {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

std::string make_name(std::string_view bytes, bool colons) {
  std::string name;
  name.reserve(bytes.size() + 1);
  if (bytes.empty() || is_digit(bytes.front())) name += '_';
  for (const char c : bytes) name += is_name_char(c) || (colons && c == ':') ? c : '_';
  return name;
}

void append_text(std::string& out, std::string_view bytes, bool escape_quotes) {
  while (!bytes.empty()) {
    const CodePoint point = decode_utf8(bytes);
    if (point.value == '\n') {
      out += "\\n";
    } else if (point.value == '\\') {
      out += "\\\\";
    } else if (point.value == '"' && escape_quotes) {
      out += "\\\"";
    } else if (point.bytes == 0 || is_control(point.value)) {
      out += kReplacement;
    } else {
      out += bytes.substr(0, point.bytes);
    }
    bytes.remove_prefix(std::max<std::size_t>(1, point.bytes));
  }
}

}  // namespace

std::string metric_name(std::string_view bytes) { return make_name(bytes, true); }

std::string label_name(std::string_view bytes) {
  std::string name = make_name(bytes, false);
  if (!name.starts_with("__")) return name;
  // One underscore stays; a digit after it is fine.
  return name.substr(std::min(name.find_first_not_of('_'), name.size()) - 1);
}

void append_label_value(std::string& out, std::string_view bytes) { append_text(out, bytes, true); }

void append_help(std::string& out, std::string_view bytes, bool escape_quotes) {
  append_text(out, bytes, escape_quotes);
}

std::string_view cut_utf8(std::string_view bytes, std::size_t max_bytes) {
  if (bytes.size() <= max_bytes) return bytes;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(bytes[end]) & 0xC0U) == 0x80) --end;
  return bytes.substr(0, end);
}

std::string bound_text(double bound) {
  if (std::isnan(bound)) return "NaN";
  if (std::isinf(bound)) return bound > 0 ? "+Inf" : "-Inf";
  // As Go's %g does: an exponent below -4 or from 6 on is written as one.
  const double magnitude = std::fabs(bound);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e6);
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), bound,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

bool LabelBlock::add(std::string_view name, std::string_view value) {
  std::string valid = label_name(name);
  if (std::find(names_.begin(), names_.end(), valid) != names_.end()) return false;
  if (!text_.empty()) text_ += ',';
  text_ += valid;
  text_ += "=\"";
  append_label_value(text_, value);
  text_ += '"';
  names_.push_back(std::move(valid));
  return true;
}

}  // namespace ua
