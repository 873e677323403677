// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/fastcgi/fastcgi_message.h"

#include <string>

#include "collectors/probes/fastcgi/fastcgi_judge.h"
#include "tests/catch.h"

namespace ua {
namespace {

using namespace std::string_literals;

constexpr Time kNow{std::chrono::seconds(100)};

std::string record(int type, const std::string& content, int padding = 0, int id = 1) {
  std::string out{'\1', static_cast<char>(type), '\0', static_cast<char>(id)};
  out += static_cast<char>(content.size() >> 8U);
  out += static_cast<char>(content.size() & 0xffU);
  out += static_cast<char>(padding);
  out += '\0';
  return out + content + std::string(static_cast<std::size_t>(padding), 'p');
}
std::string output(const std::string& text, int padding = 0) { return record(6, text, padding); }
std::string errors(const std::string& text) { return record(7, text); }
std::string end(char protocol_status = 0, char app_status = 0) {
  return record(3, {0, 0, 0, app_status, protocol_status, 0, 0, 0});
}

FastcgiAnswer answer_of(const std::string& bytes) {
  FastcgiAnswer answer(1000, true, true);
  answer.take(bytes, kNow);
  return answer;
}

std::string verdict(const FastcgiAnswer& answer, const FastcgiOptions& options = {}) {
  Outcome outcome;
  judge_fastcgi(options, answer, outcome);
  return std::string(name(outcome.error)) + ' ' + outcome.detail;
}

TEST_CASE("a FastCGI request is a begin record, the parameters and two ends") {
  CHECK(fastcgi_request({{"A", "b"}, {"LONG", std::string(200, 'x')}}) ==
        "\1\1\0\1\0\x8\0\0"s + "\0\1\0\0\0\0\0\0"s + "\1\4\0\1\0\xd5\0\0"s + "\1\1Ab"s +
            "\4\x80\0\0\xc8LONG"s + std::string(200, 'x') + "\1\4\0\1\0\0\0\0"s +
            "\1\5\0\1\0\0\0\0"s);
}

TEST_CASE("parameters longer than a record go out in several") {
  const std::string request = fastcgi_request({{"A", std::string(65535, 'x')}});
  // 16 bytes of begin, then the parameters' 65 541 bytes: a name, a short and a long length.
  CHECK(request.substr(16, 8) == "\1\4\0\1\xff\xff\0\0"s);
  CHECK(request.substr(24 + 65535, 8) == "\1\4\0\1\0\6\0\0"s);
  CHECK(request.size() == 16 + 8 + 65535 + 8 + 6 + 8 + 8);
}

TEST_CASE("a FastCGI answer reads the same however it is cut") {
  const std::string bytes =
      errors("a warning\n") + output("Status: 404 Not Found\r\nX-A: b\r\n", 7) +
      output("Content-type: text/plain\r\n\r\nbo") + output("dy", 255) + output("") + end(0, 3);
  for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
    FastcgiAnswer answer(1000, true, true);
    bool more = true;
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
      REQUIRE(more);
      more = answer.take(std::string_view(bytes).substr(at, cut), kNow);
    }
    INFO(cut);
    CHECK_FALSE(more);
    CHECK(answer.ended());
    CHECK(answer.fault() == FastcgiFault::none);
    CHECK(answer.status() == 404);
    CHECK(answer.http().body() == "body");
    CHECK(answer.http().body_bytes() == 4);
    CHECK(answer.http().headers() ==
          "Status: 404 Not Found\r\nX-A: b\r\nContent-type: text/plain\r\n");
    CHECK(answer.errors() == "a warning\n");
    CHECK(answer.app_status() == 3);
  }
}

TEST_CASE("an answer's status is its Status header, 302 beside a Location, else 200") {
  CHECK(answer_of(output("Content-type: a\r\n\r\n")).status() == 200);
  CHECK(answer_of(output("Location: http://a/\r\n\r\n")).status() == 302);
  CHECK(answer_of(output("location: /\nSTATUS: 201\n\n")).status() == 201);
  CHECK(answer_of(output("Status: 500\r\n")).status() == 0);  // not complete
}

TEST_CASE("each way in which bytes are no FastCGI answer has its verdict") {
  struct Row {
    std::string bytes;
    const char* verdict;
  };
  const std::string good = output("A: b\r\n\r\n");
  for (const Row& row : {
           Row{"HTTP/1.1 400 Bad Request\r\n", "protocol_mismatch not_fastcgi"},
           Row{"\x15\x03\x03"s, "protocol_mismatch not_fastcgi"},
           Row{"\0"s, "protocol_mismatch not_fastcgi"},
           Row{good + "\2\6\0\1\0\0\0\0"s, "invalid_response version"},
           Row{record(1, "12345678"), "invalid_response type"},
           Row{record(8, ""), "invalid_response type"},
           Row{record(6, "A: b", 0, 2), "invalid_response request_id"},
           Row{record(3, "1234567"), "invalid_response end_request"},
           Row{record(3, ""), "invalid_response end_request"},
           Row{output("<br />\n<b>Warning</b>\n"), "invalid_response header"},
           Row{output(": b\r\n"), "invalid_response header"},
           Row{output(std::string("A\0: b\r\n", 7)), "invalid_response header"},
           Row{output("Status: ok\r\n"), "invalid_response status"},
           Row{output("Status: 99\r\n"), "invalid_response status"},
           Row{output("Status: 1000\r\n"), "invalid_response status"},
           Row{output("Status: 200x\r\n"), "invalid_response status"},
           Row{end(), "invalid_response no_headers"},
           Row{end(0, 9), "invalid_response no_headers,app_status_9"},
           Row{output("A: b\r\n") + end(), "invalid_response no_headers"},
           Row{end(1), "invalid_response cant_multiplex"},
           Row{end(2), "pool_exhausted overloaded"},
           Row{good + end(2), "pool_exhausted overloaded"},
           Row{end(3), "protocol_mismatch unknown_role"},
           Row{end(77), "protocol_mismatch unknown_role"},
       }) {
    INFO(row.bytes << " -> " << row.verdict);
    FastcgiAnswer answer(1000, true, true);
    CHECK_FALSE(answer.take(row.bytes, kNow));
    CHECK(verdict(answer) == row.verdict);
  }
}

TEST_CASE("records of the management id are passed over, as an answer to no question") {
  FastcgiAnswer answer(1000, true, true);
  CHECK_FALSE(answer.take(
      record(11, "12345678", 0, 0) + record(10, "", 3, 0) + output("A: b\r\n\r\n") + end(), kNow));
  CHECK(verdict(answer) == "none ");
}

TEST_CASE("an answer's headers, errors and body are bounded") {
  const std::string most(65535, 'a');
  SECTION("a line without end") {
    FastcgiAnswer answer(1000, true, true);
    CHECK(answer.take(output(most), kNow));
    CHECK_FALSE(answer.take(output(most), kNow));
    CHECK(verdict(answer) == "headers_too_large over_64KiB_or_200_lines");
  }
  SECTION("lines without end") {
    FastcgiAnswer answer(1000, true, true);
    for (int i = 0; i < 200; ++i) CHECK(answer.take(output("A: b\r\n"), kNow));
    CHECK_FALSE(answer.take(output("A: b\r\n"), kNow));
    CHECK(verdict(answer) == "headers_too_large over_64KiB_or_200_lines");
  }
  SECTION("errors") {
    FastcgiAnswer answer(1000, true, true);
    for (int i = 0; i < 16; ++i) CHECK(answer.take(errors(most), kNow));
    CHECK_FALSE(answer.take(errors(most), kNow));
    CHECK(verdict(answer) == "invalid_response stderr_flood");
    CHECK(answer.errors().size() == FastcgiAnswer::kKeptErrors);
  }
  SECTION("body: what came is enough") {
    FastcgiAnswer answer(1000, true, true);
    CHECK(answer.take(output("A: b\r\n\r\n") + output(std::string(1000, 'b')), kNow));
    CHECK_FALSE(answer.take(output("c"), kNow));
    CHECK(verdict(answer) == "none body_capped");
    CHECK(answer.http().body() == std::string(1000, 'b'));
  }
}

TEST_CASE("a status counts as in HTTP, and PHP's time limit is told apart") {
  const auto answered = [](const std::string& status, const std::string& said) {
    return answer_of(errors(said) + output("Status: " + status + "\r\n\r\nx") + end());
  };
  CHECK(verdict(answered("404 Not Found", "Primary script unknown")) == "http_4xx status_404");
  CHECK(verdict(answered("500", "PHP message: PHP Fatal error:  Uncaught")) ==
        "http_5xx status_500");
  CHECK(verdict(answered("500", "PHP Fatal error:  Maximum execution time of 1 second exceeded")) ==
        "worker_timeout status_500");
  CHECK(verdict(answered("503", "")) == "http_503 status_503");
  CHECK(verdict(answered("302", "")) == "none ");
  FastcgiOptions strict;
  strict.expect_status.ranges = {{200, 299}};
  CHECK(verdict(answered("302", ""), strict) == "content_mismatch status_302");
  Outcome outcome;
  judge_fastcgi({}, answered("500", "\nPHP Fatal error\nin line 3"), outcome);
  CHECK(outcome.message == "PHP Fatal error");
}

TEST_CASE("an answer that is cut off is truncated after its headers, closed or reset before") {
  const auto cut = [](const std::string& bytes, Stream::End how) {
    Outcome outcome;
    judge_fastcgi_end(answer_of(bytes), how, outcome);
    return std::string(name(outcome.error)) + ' ' + outcome.detail;
  };
  const std::string headers = output("A: b\r\n\r\n");
  CHECK(cut("", Stream::End::fin) == "closed_before_headers fin");
  CHECK(cut("", Stream::End::reset) == "reset_before_headers rst");
  CHECK(cut(errors("x"), Stream::End::fin) == "closed_before_headers fin,partial_answer");
  CHECK(cut(headers, Stream::End::fin) == "body_truncated fin");
  CHECK(cut(headers, Stream::End::reset) == "body_truncated rst");
}

}  // namespace
}  // namespace ua
