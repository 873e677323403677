// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_lexer.h"

#include <algorithm>

namespace ua {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// What a backslash and the character after it stand for; any other pair stays as it is.
std::optional<char> escaped(char c) {
  switch (c) {
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case '"':
    case '\'':
    case '\\':
      return c;
    default:
      return std::nullopt;
  }
}

/// Adds the character at `at`, or the pair that begins there with a backslash.
/// @return where the next one begins
std::size_t add_character(std::string_view text, std::size_t at, std::string& to) {
  if (text[at] != '\\' || at + 1 >= text.size()) {
    to += text[at];
    return at + 1;
  }
  if (const auto c = escaped(text[at + 1])) {
    to += *c;
  } else {
    to += text.substr(at, 2);
  }
  return at + 2;
}

std::size_t end_of(std::string_view text, std::string_view mark, std::size_t from) {
  const std::size_t found = text.find(mark, from);
  return found == std::string_view::npos ? text.size() : found + mark.size();
}

/// Where the long bracket `[[...]]`, `[=[...]=]`, ... that begins at `at` ends; nullopt where none
/// begins.
std::optional<std::size_t> end_of_long_bracket(std::string_view text, std::size_t at) {
  const std::size_t second = text.find_first_not_of('=', at + 1);
  if (text[at] != '[' || second == std::string_view::npos || text[second] != '[') {
    return std::nullopt;
  }
  const std::string mark = ']' + std::string(second - at - 1, '=') + ']';
  return end_of(text, mark, second + 1);
}

/// Where the string that begins at `at` ends. One that its line does not close is none: the module
/// takes its quote for any other character.
std::size_t end_of_lua_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == quote) return i + 1;
    const bool pair = text[i] == '\\' && i + 1 < text.size() && text[i + 1] != '\n';
    if (pair) ++i;
  }
  return at + 1;
}

std::size_t end_of_lua_comment(std::string_view text, std::size_t at) {
  const bool bracket = at + 2 < text.size() && text[at + 2] == '[';
  const auto end = bracket ? end_of_long_bracket(text, at + 2) : std::nullopt;
  return end ? *end : std::min(text.find('\n', at), text.size());
}

/// Where the piece of Lua that begins at `at` ends, as the module's own reader takes it.
std::size_t end_of_lua_piece(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '"':
    case '\'':
      return end_of_lua_string(text, at);
    case '[':
      return end_of_long_bracket(text, at).value_or(at + 1);
    case '-':
      return text.substr(at).starts_with("--") ? end_of_lua_comment(text, at) : at + 1;
    default:
      return at + 1;
  }
}

}  // namespace

std::optional<NginxToken> NginxLexer::next() {
  skip_blanks();
  if (at_ >= text_.size()) return std::nullopt;
  switch (const char c = text_[at_]) {
    case ';':
      return single(NginxToken::Kind::end);
    case '{':
      return single(NginxToken::Kind::open);
    case '}':
      return single(NginxToken::Kind::close);
    case '"':
    case '\'':
      return quoted(c);
    default: {
      const unsigned line = line_;
      return NginxToken{NginxToken::Kind::word, bare(), line};
    }
  }
}

bool NginxLexer::skip_lua_block() {
  std::size_t depth = 1;
  while (at_ < text_.size() && depth > 0) {
    if (text_[at_] == '{') ++depth;
    if (text_[at_] == '}') --depth;
    pass_to(end_of_lua_piece(text_, at_));
  }
  return depth == 0;
}

NginxToken NginxLexer::single(NginxToken::Kind kind) {
  ++at_;
  return NginxToken{kind, {}, line_};
}

void NginxLexer::pass_to(std::size_t end) {
  const std::string_view passed = text_.substr(at_, end - at_);
  line_ += static_cast<unsigned>(std::count(passed.begin(), passed.end(), '\n'));
  at_ = end;
}

void NginxLexer::skip_blanks() {
  while (at_ < text_.size()) {
    const bool comment = text_[at_] == '#';
    if (!comment && kBlanks.find(text_[at_]) == std::string_view::npos) return;
    pass_to(comment ? std::min(text_.find('\n', at_), text_.size()) : at_ + 1);
  }
}

NginxToken NginxLexer::quoted(char quote) {
  NginxToken result{NginxToken::Kind::word, {}, line_};
  std::size_t end = at_ + 1;
  while (end < text_.size() && text_[end] != quote) end = add_character(text_, end, result.text);
  result.closed = end < text_.size();
  pass_to(std::min(end + 1, text_.size()));
  return result;
}

/// Neither '}' nor a quote nor '#' ends a word, and "${" is part of it.
std::string NginxLexer::bare() {
  std::string result;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const bool variable = c == '{' && result.ends_with('$');
    if (c == ';' || (c == '{' && !variable) || kBlanks.find(c) != std::string_view::npos) break;
    pass_to(add_character(text_, at_, result));
  }
  return result;
}

}  // namespace ua
