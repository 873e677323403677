// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/shell_quote.h"

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("plain values stand as they are, others in single quotes") {
  CHECK(shell_quote("app-1.example:8080/a_b@c%+=,") == "app-1.example:8080/a_b@c%+=,");
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("a b") == "'a b'");
  CHECK(shell_quote("$(id)") == "'$(id)'");
  CHECK(shell_quote("a;b|c&d`e`") == "'a;b|c&d`e`'");
  CHECK(shell_quote("it's") == R"('it'\''s')");
  CHECK(shell_quote("~root") == "'~root'");
  CHECK(shell_quote("a\nb") == "'a\nb'");
}

}  // namespace
}  // namespace ua
