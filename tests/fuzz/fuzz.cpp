// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz.h"

#include <array>
#include <cstdio>

namespace ua::fuzz {

std::string show(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) {
    if (c >= 0x20 && c < 0x7f && c != '\\' && c != '"') {
      result += c;
    } else {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned char>(c));
      result += hex.data();
    }
  }
  return result;
}

void expect_same(std::string_view found, std::string_view wanted, const char* property) {
  if (found == wanted) return;
  throw Broken(std::string(property) + ": \"" + show(found) + "\", not \"" + show(wanted) + '"');
}

}  // namespace ua::fuzz
