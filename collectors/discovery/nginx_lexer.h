// SPDX-License-Identifier: Apache-2.0
// nginx's configuration as words, the way ngx_conf_read_token() takes them apart. A value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ua {

struct NginxToken {
  enum class Kind { word, end, open, close } kind;
  std::string text;
  unsigned line;
  bool closed = true;  ///< false: the text ends within quotes
};

class NginxLexer {
 public:
  /// @param text outlives the lexer
  explicit NginxLexer(std::string_view text) : text_(text) {}

  std::optional<NginxToken> next();

  /// Passes over a `*_by_lua_block`, the opening brace being behind us. A brace in a string of Lua
  /// or in a comment does not count.
  /// @return whether it is closed
  bool skip_lua_block();

 private:
  NginxToken single(NginxToken::Kind kind);
  void skip_blanks();
  NginxToken quoted(char quote);
  std::string bare();
  void pass_to(std::size_t end);  // counts the lines between

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
};

}  // namespace ua
