// SPDX-License-Identifier: Apache-2.0
#include "agent/web/random_token.h"

#include <sys/random.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace ua {

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("no random bytes");
  }
  std::string result;
  for (const unsigned char byte : bytes) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", byte);
    result += digits.data();
  }
  return result;
}

}  // namespace ua
