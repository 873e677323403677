// SPDX-License-Identifier: Apache-2.0
#include "agent/web/basic_auth.h"

#include "tests/catch.h"

namespace ua {
namespace {

using namespace std::string_view_literals;

std::string parsed(std::string_view header) {
  const auto credentials = parse_basic_auth(header);
  return credentials ? credentials->user + '|' + credentials->password : "nothing";
}

TEST_CASE("a user and a password out of a header", "[web]") {
  CHECK(parsed("Basic YWxpY2U6c2VjcmV0") == "alice|secret");
  CHECK(parsed("basic YWxpY2U6c2VjcmV0") == "alice|secret");
  CHECK(parsed("BASIC   YWxpY2U6c2VjcmV0 ") == "alice|secret");
  CHECK(parsed("Basic YTpiOmM=") == "a|b:c");
  CHECK(parsed("Basic Og==") == "|");
  CHECK(parsed("Basic YTo=") == "a|");
  CHECK(parsed("Basic OmI=") == "|b");
  CHECK(parsed("Basic 4pyTOv8A") == "\xe2\x9c\x93|\xff\0"sv);  // UTF-8, no UTF-8, a zero byte
  CHECK(parsed("Basic " + std::string(64000, 'A')) == "nothing");
}

TEST_CASE("what is no user and password", "[web]") {
  const std::string_view header =
      GENERATE(as<std::string_view>{}, "", "Basic", "Basic ", "Basic :", "BasicYWxpY2U6c2VjcmV0",
               "Bearer YWxpY2U6c2VjcmV0", "Basic YWxpY2U=" /* no colon */,
               "Basic YTpiOmM" /* no padding */, "Basic YTpi=" /* too much of it */,
               "Basic YTpiOg=" /* too little */, "Basic YTpiOh==" /* a bit that is not used */,
               "Basic YTp=iOmM=", "Basic ====", "Basic YTpi YTpi", "Basic YTpi,Basic YTpi",
               "Basic YT-_OmM=" /* of URLs */, "Basic YTp\n", "Digest username=\"alice\"");
  CAPTURE(header);
  CHECK_FALSE(parse_basic_auth(header));
}

}  // namespace
}  // namespace ua
