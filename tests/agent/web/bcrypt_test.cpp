// SPDX-License-Identifier: Apache-2.0
#include "agent/web/bcrypt.h"

#include <string>

#include "tests/catch.h"

namespace ua {
namespace {

// The first vectors of crypt_blowfish, whose author made them for every implementation.
constexpr const char* kHash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
constexpr const char* kHashOfLess = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK";

TEST_CASE("a password and its hash, and what only looks alike", "[web]") {
  CHECK(bcrypt_matches("U*U", kHash));
  CHECK(bcrypt_matches("U*U*", kHashOfLess));
  CHECK_FALSE(bcrypt_matches("U*U", kHashOfLess));
  CHECK_FALSE(bcrypt_matches("", kHash));
  CHECK_FALSE(bcrypt_matches("u*u", kHash));
  CHECK_FALSE(bcrypt_matches(std::string_view("U*U\0x", 5), kHash));
  std::string other_end = kHash;
  other_end.back() = 'X';
  CHECK_FALSE(bcrypt_matches("U*U", other_end));
  CHECK_FALSE(bcrypt_matches("U*U", "$2a$05$"));
  CHECK_FALSE(bcrypt_matches("U*U", ""));
  // Both are "*0" to the C library: a failed token, which must equal nothing.
  CHECK_FALSE(bcrypt_matches("U*U", "*0"));
}

TEST_CASE("the prefixes of every maker, and 72 bytes", "[web]") {
  for (const char kind : {'a', 'b', 'y'}) {
    std::string hash = kHash;
    hash[2] = kind;
    CHECK(bcrypt_cost(hash) == 5);
    CHECK(bcrypt_matches("U*U", hash));
  }
  const std::string longest(kMostPasswordBytes, 'x');
  const auto hash = bcrypt_hash(longest, 4);
  REQUIRE(hash);
  CHECK(bcrypt_matches(longest, *hash));
  CHECK(bcrypt_matches(longest + "more", *hash));  // as everywhere
  CHECK_FALSE(bcrypt_matches(longest.substr(1), *hash));
}

TEST_CASE("a new hash has its cost, and another salt each time", "[web]") {
  const auto one = bcrypt_hash("p\xc3\xa4ss", 4);
  const auto other = bcrypt_hash("p\xc3\xa4ss", 4);
  REQUIRE(one);
  REQUIRE(other);
  CHECK(*one != *other);
  CHECK(bcrypt_cost(*one) == 4);
  CHECK(one->starts_with("$2b$04$"));
  CHECK(bcrypt_matches("p\xc3\xa4ss", *one));
}

TEST_CASE("what is no bcrypt hash", "[web]") {
  const std::string hash = kHash;
  CHECK(bcrypt_cost(hash) == 5);
  CHECK(bcrypt_cost("$2y$31" + hash.substr(6)) == 31);
  for (const std::string& wrong :
       {std::string(), std::string("secret"), hash.substr(1), hash + "x", hash.substr(0, 59),
        "$2x" + hash.substr(3), "$1$" + hash.substr(3), "$2a$5$$" + hash.substr(7),
        "$2a$+5" + hash.substr(6), hash.substr(0, 30) + '=' + hash.substr(31),
        hash.substr(0, 30) + '\0' + hash.substr(31)}) {
    CAPTURE(wrong);
    CHECK_FALSE(bcrypt_cost(wrong));
  }
}

}  // namespace
}  // namespace ua
