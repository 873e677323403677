// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/shell_quote.h"

#include <algorithm>

namespace ua {

std::string shell_quote(std::string_view value) {
  constexpr std::string_view kPlain = "_@%+=:,./-";
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
  });
  if (plain) return std::string(value);
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'') {
      result += R"('\'')";
    } else {
      result += c;
    }
  }
  return result + '\'';
}

}  // namespace ua
