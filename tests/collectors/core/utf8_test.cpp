// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/utf8.h"

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("valid sequences of each length decode") {
  CHECK(decode_utf8("A!").value == U'A');
  CHECK(decode_utf8("\xC2\xA2").value == 0xA2);
  CHECK(decode_utf8("\xE2\x82\xAC...").value == 0x20AC);
  CHECK(decode_utf8("\xE2\x82\xAC...").bytes == 3);
  CHECK(decode_utf8("\xF4\x8F\xBF\xBF").value == 0x10FFFF);
  CHECK(decode_utf8(std::string_view("\0", 1)).bytes == 1);
}

TEST_CASE("invalid beginnings have no bytes") {
  const auto bytes = GENERATE(values<const char*>(
      {"", "\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2 ", "\xE0\x9F\xBF", "\xED\xA0\x80",
       "\xE2\x82", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}));
  CHECK(decode_utf8(bytes).bytes == 0);
}

}  // namespace
}  // namespace ua
