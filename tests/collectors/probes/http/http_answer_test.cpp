// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_answer.h"

#include "tests/catch.h"

namespace ua {
namespace {

constexpr Time kNow{std::chrono::seconds(100)};

bool feed(HttpAnswer& answer, std::initializer_list<std::string_view> lines) {
  bool taken = true;
  for (const std::string_view line : lines) taken = taken && answer.take_header(line, kNow);
  return taken;
}

TEST_CASE("the header is complete with the empty line, not with the end of the stream") {
  HttpAnswer answer(1000, false);
  CHECK(feed(answer, {"HTTP/1.1 200 OK\r\n", "Content-Length: 3\r\n"}));
  CHECK_FALSE(answer.header_complete());
  CHECK(feed(answer, {"\r\n"}));
  CHECK(answer.header_complete());
  CHECK(answer.headers_at() == kNow);
}

TEST_CASE("blanks alone continue the header, as libcurl takes them") {
  HttpAnswer answer(1000, false);
  CHECK(feed(answer, {"HTTP/1.1 200 OK\r\n", "A: b\r\n", " \r\n", "\t\n"}));
  CHECK_FALSE(answer.header_complete());
  CHECK(feed(answer, {"\n"}));
  CHECK(answer.header_complete());
}

TEST_CASE("an interim answer is not the answer; switching protocols is") {
  HttpAnswer answer(1000, false);
  CHECK(feed(answer, {"HTTP/1.1 100 Continue\r\n", "\r\n"}));
  CHECK_FALSE(answer.header_complete());
  CHECK(feed(answer, {"HTTP/1.1 103 Early Hints\r\n", "Location: /early\r\n", "\r\n"}));
  CHECK_FALSE(answer.header_complete());
  CHECK(feed(answer, {"HTTP/1.1 302 Found\r\n", "LOCATION:  /late \r\n", "\r\n"}));
  CHECK(answer.header_complete());
  CHECK(answer.location() == "/late");
  HttpAnswer upgrade(1000, false);
  CHECK(feed(upgrade, {"HTTP/1.1 101 Switching Protocols\r\n", "\r\n"}));
  CHECK(upgrade.header_complete());
}

TEST_CASE("a header may have 64 KiB and 200 lines") {
  HttpAnswer wide(1000, false);
  CHECK(wide.take_header(std::string(HttpAnswer::kMaxHeaderBytes, 'a'), kNow));
  CHECK_FALSE(wide.take_header("b", kNow));
  CHECK(wide.header_overflow());
  HttpAnswer tall(1000, false);
  for (unsigned i = 0; i < HttpAnswer::kMaxHeaderLines; ++i)
    CHECK(tall.take_header("a: b\r\n", kNow));
  CHECK_FALSE(tall.take_header("a: b\r\n", kNow));
}

TEST_CASE("a body is counted up to its limit and kept as far as it is needed") {
  HttpAnswer start(1000, false);
  CHECK(start.take_body(std::string(700, 'x')));
  CHECK(start.body().size() == HttpAnswer::kStartOfBody);
  CHECK(start.take_body(std::string(300, 'x')));
  CHECK_FALSE(start.body_capped());
  CHECK_FALSE(start.take_body("y"));
  CHECK(start.body_capped());
  CHECK(start.body_bytes() == 1000);
  HttpAnswer whole(1000, true);
  CHECK_FALSE(whole.take_body(std::string(999, 'x') + "yz"));
  CHECK(whole.body() == std::string(999, 'x') + "y");
}

}  // namespace
}  // namespace ua
