// SPDX-License-Identifier: Apache-2.0
// The Authorization header, which anybody can send: what is taken for a user and a password is the
// encoding of just these.
#include <cstdint>
#include <string>

#include "agent/web/basic_auth.h"
#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"

namespace ua::fuzz {
namespace {

/// Written for this alone: bit by bit.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (const char c : bytes) {
    for (unsigned i = 0; i < 8; ++i) {
      bits += (static_cast<unsigned char>(c) >> (7 - i) & 1U) != 0 ? '1' : '0';
    }
  }
  while (bits.size() % 6 != 0) bits += '0';
  std::string result;
  for (std::size_t at = 0; at < bits.size(); at += 6) {
    result += kAlphabet[std::stoul(bits.substr(at, 6), nullptr, 2)];
  }
  while (result.size() % 4 != 0) result += '=';
  return result;
}

}  // namespace

void authorization(std::string_view bytes) {
  if (const auto credentials = parse_basic_auth(bytes)) {
    expect(credentials->user.find(':') == std::string::npos, "a user's name has no colon");
    const std::string encoded = base64(credentials->user + ':' + credentials->password);
    expect(trim(bytes).ends_with(encoded), "what is read is what was encoded");
    const std::string_view rest = trim(bytes).substr(0, trim(bytes).size() - encoded.size());
    expect_same(to_lower(trim(rest)), "basic", "before it stands the scheme alone");
  }
  // And whatever the bytes are as a password, they come back.
  const auto back = parse_basic_auth("Basic " + base64("user:" + std::string(bytes)));
  expect(back.has_value() && back->user == "user", "a password can have any bytes");
  expect_same(back->password, bytes, "a password comes back as it was");
}

}  // namespace ua::fuzz
