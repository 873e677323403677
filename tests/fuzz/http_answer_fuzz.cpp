// SPDX-License-Identifier: Apache-2.0
// An HTTP probe whose peer answers with any bytes. The first byte says which options the probe has
// and whether the rest is the answer itself, or what to build a proper one of.
#include <algorithm>
#include <array>
#include <vector>

#include "collectors/probes/http/http_probe.h"
#include "tests/fuzz/answered.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

constexpr std::uint64_t kMaxBody = 1000;

ProbeMaker maker(bool follow, bool expect_body) {
  HttpOptions options;
  options.follow_redirects = follow;
  options.max_body = kMaxBody;
  options.expect_status.ranges = {{200, 399}};
  if (expect_body) options.patterns.expect_body = std::make_shared<const re2::RE2>("ready");
  return make_http_maker(std::move(options), TlsOptions{});
}

ProbeResult probe(std::size_t options, std::string_view answer) {
  static const std::array<ProbeMaker, 4> makers{maker(false, false), maker(true, false),
                                                maker(false, true), maker(true, true)};
  static const Target target = *parse_target("http://a.example:8080/x?y");
  return probe_answered(makers[options % makers.size()], target, answer);
}

void check_result(const ProbeResult& result, bool follow) {
  const Outcome& outcome = result.outcome;
  check_classified({outcome.error, outcome.detail});
  expect(!outcome.tls, "there was no TLS");
  expect(outcome.error == ErrorClass::none || phase_of(outcome.error) != Phase::local,
         "what a server sends is no trouble of this machine's");
  expect(!outcome.http || outcome.http->body_bytes <= kMaxBody, "a body is bounded");
  if (outcome.error == ErrorClass::none) {
    expect(outcome.http.has_value(), "a success has an answer");
    expect(result.follow || (outcome.http->status_code >= 200 && outcome.http->status_code <= 399),
           "a success has a status that is accepted");
  }
  if (!result.follow) return;
  expect(follow, "a redirect is followed only where that is asked for");
  expect(outcome.http->status_code >= 300 && outcome.http->status_code <= 399,
         "a redirect has its status");
  check_target(*result.follow);
}

bool has_empty_line(std::string_view answer) {
  return answer.find("\n\n") != std::string_view::npos ||
         answer.find("\n\r") != std::string_view::npos;
}

struct Answer {
  int status = 200;
  std::string body;
  std::string bytes;
};

std::string token(std::string_view text) {
  std::string result = "x";
  std::copy_if(text.begin(), text.end(), std::back_inserter(result),
               [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
  return result;
}

std::string field_value(std::string_view text) {
  std::string result(text);
  std::erase_if(result, [](char c) { return c >= 0 && (c < 0x20 || c == 0x7f); });
  return result;
}

Answer make_answer(Input input) {
  Answer result;
  result.status = 200 + static_cast<int>(input.word() % 400);
  const bool empty = result.status == 204 || result.status == 304;
  std::string head = "HTTP/1.1 " + std::to_string(result.status) + ' ' + field_value(input.text());
  for (std::size_t i = input.below(6); i > 0; --i) {
    head += "\r\n" + token(input.text()) + ": " + field_value(input.text());
  }
  result.body = empty ? "" : input.rest().substr(0, kMaxBody);
  const std::string length = std::to_string(result.body.size());
  result.bytes = head + "\r\nContent-Length: " + length + "\r\n\r\n" + result.body;
  return result;
}

bool is_redirect(int status) {
  return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/// What must come of a proper answer, said once more. Its headers have made-up names, so that it
/// has no Location.
ErrorClass wanted(const Answer& answer, bool follow, bool expect_body) {
  if (follow && is_redirect(answer.status)) return ErrorClass::content_mismatch;  // to nowhere
  if (answer.status == 429) return ErrorClass::rate_limited;
  if (answer.status == 503) return ErrorClass::http_503;
  if (answer.status == 502 || answer.status == 504) return ErrorClass::http_gateway_error;
  if (answer.status >= 500) return ErrorClass::http_5xx;
  if (answer.status == 400 && answer.body.find("HTTP") != std::string::npos) {
    return ErrorClass::unknown;  // may be a telltale of another protocol
  }
  if (answer.status >= 400) return ErrorClass::http_4xx;
  const bool fits = !expect_body || answer.body.find("ready") != std::string::npos;
  return fits ? ErrorClass::none : ErrorClass::content_mismatch;
}

}  // namespace

void http_answer(std::string_view bytes) {
  Input input(bytes);
  const std::size_t options = input.byte();
  const bool follow = (options & 1U) != 0;
  if ((options & 4U) == 0) {
    const std::string_view answer = input.rest().substr(0, kMaxAnswer);
    const ProbeResult result = probe(options, answer);
    check_result(result, follow);
    expect(result.outcome.error != ErrorClass::none || has_empty_line(answer),
           "a success has a whole header");
    return;
  }
  const Answer answer = make_answer(input);
  const ProbeResult result = probe(options, answer.bytes);
  check_result(result, follow);
  const ErrorClass error = wanted(answer, follow, (options & 2U) != 0);
  if (error != ErrorClass::unknown) {
    expect_same(name(result.outcome.error), name(error),
                "a proper answer has the class of its status");
  }
  expect(result.outcome.http && result.outcome.http->status_code == answer.status,
         "a proper answer's status is read");
  expect(result.outcome.http->body_bytes == answer.body.size(), "a proper answer's body is read");
}

}  // namespace ua::fuzz
