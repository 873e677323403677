// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/answer/answer_match.h"

#include "tests/catch.h"

namespace ua {
namespace {

Regex regex(const char* pattern) { return std::make_shared<const re2::RE2>(pattern); }

std::string text(const std::optional<Mismatch>& mismatch) {
  return mismatch ? mismatch->detail + ": " + mismatch->message : "";
}

std::string header(const char* name, const char* pattern, std::string_view headers) {
  AnswerPatterns patterns;
  patterns.expect_header.emplace_back(name, regex(pattern));
  return text(find_mismatch(patterns, headers, ""));
}

TEST_CASE("an expected header is found whatever its case, its place and its number") {
  constexpr std::string_view kHeaders =
      "content-TYPE:  text/html; charset=utf-8 \r\nX-A: first\r\nx-a: second\r\n"
      "X-Folded: one\r\n\t two\r\nX-Empty:\r\nno colon\r\n";
  CHECK(header("Content-Type", "^text/html; charset=utf-8$", kHeaders).empty());
  CHECK(header("x-a", "^first$", kHeaders).empty());
  CHECK(header("X-A", "^second$", kHeaders).empty());
  CHECK(header("X-Folded", "^one two$", kHeaders).empty());
  CHECK(header("X-Empty", "^$", kHeaders).empty());
  CHECK(header("X-A", "^firstsecond$", kHeaders) ==
        "expect_header: the answer's header 'X-A' does not match its pattern in expect_header");
  CHECK(header("Content", "", kHeaders) == "expect_header: the answer has no header 'Content'");
  CHECK(header("no colon", "", kHeaders) == "expect_header: the answer has no header 'no colon'");
  CHECK(header("X-A", "", "") == "expect_header: the answer has no header 'X-A'");
  CHECK(header("X-A", "b", " b\r\nX-A: a\r\n b\r\n").empty());
}

TEST_CASE("each of several expected headers must be there") {
  AnswerPatterns patterns;
  patterns.expect_header.emplace_back("A", regex("1"));
  patterns.expect_header.emplace_back("B", regex("2"));
  CHECK_FALSE(find_mismatch(patterns, "B: 2\r\nA: 1\r\n", ""));
  CHECK(text(find_mismatch(patterns, "A: 1\r\nB: 1\r\n", "")) ==
        "expect_header: the answer's header 'B' does not match its pattern in expect_header");
}

TEST_CASE("what is rejected counts before what is missing") {
  AnswerPatterns patterns;
  patterns.expect_body = regex("ok");
  patterns.reject_body = regex("(?i)error");
  CHECK_FALSE(find_mismatch(patterns, "", "all ok"));
  CHECK(text(find_mismatch(patterns, "", "ERROR")) == "reject_body: the body matches reject_body");
  CHECK(text(find_mismatch(patterns, "", "ok, but an error")) ==
        "reject_body: the body matches reject_body");
  CHECK(text(find_mismatch(patterns, "", "")) ==
        "expect_body: the body does not match expect_body");
}

TEST_CASE("the cost of matching counts every pattern with what it reads") {
  AnswerPatterns patterns;
  patterns.reject_body = regex("a[ab]{900}c");
  const auto size = static_cast<std::uint64_t>(patterns.reject_body->ProgramSize());
  CHECK(match_steps(patterns, "12345678", "123") == 3 * size);
  patterns.expect_header.emplace_back("A", patterns.reject_body);
  CHECK(match_steps(patterns, "12345678", "123") == (3 + 8) * size);
  patterns.expect_body = patterns.reject_body;
  CHECK(match_steps(patterns, "12345678", "123") == (3 + 8 + 3) * size);
}

}  // namespace
}  // namespace ua
