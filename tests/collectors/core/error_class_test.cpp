// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/error_class.h"

#include <set>
#include <string>

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("the catalogue has 41 classes whose names and codes lead back to them") {
  std::set<std::string_view> names;
  for (const ErrorClassInfo& row : catalogue()) {
    CHECK(error_class_from_name(row.name) == row.error_class);
    CHECK(&info(row.error_class) == &row);
    names.insert(row.name);
  }
  CHECK(names.size() == 41);
  CHECK_FALSE(error_class_from_name("none"));
  CHECK_FALSE(error_class_from_name("connect_refuse"));
}

TEST_CASE("codes that users store do not move") {
  CHECK(info(ErrorClass::config_invalid).code() == 1);
  CHECK(info(ErrorClass::connect_refused).code() == 7);
  CHECK(info(ErrorClass::response_timeout).code() == 19);
  CHECK(info(ErrorClass::http_503).code() == 28);
  CHECK(info(ErrorClass::protocol_mismatch).code() == 33);
  CHECK(info(ErrorClass::unknown).code() == 41);
}

TEST_CASE("a 503 and a rate limit are never retried") {
  CHECK(info(ErrorClass::http_503).retry == Retry::never);
  CHECK(info(ErrorClass::rate_limited).retry == Retry::never);
}

}  // namespace
}  // namespace ua
