// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/fastcgi/fastcgi_judge.h"

#include <array>
#include <string_view>

#include "collectors/core/text.h"
#include "collectors/probes/http/http_classify.h"

namespace ua {
namespace {

constexpr std::size_t kShownErrors = 300;  // bytes of a message

// FCGI_END_REQUEST's protocolStatus.
constexpr std::uint8_t kRequestComplete = 0;
constexpr std::uint8_t kCantMultiplex = 1;
constexpr std::uint8_t kOverloaded = 2;

void set(Outcome& outcome, ErrorClass error, std::string_view detail, std::string_view message) {
  outcome.error = error;
  outcome.detail = detail;
  outcome.message = message;
}

/// What the application said about the failure: its first line.
std::string_view first_error(const FastcgiAnswer& answer) {
  const std::string_view text = trim(answer.errors());
  return text.substr(0, text.find('\n')).substr(0, kShownErrors);
}

struct FaultText {
  ErrorClass error;
  std::string_view detail;
  std::string_view message;
};

FaultText text_of(FastcgiFault fault) {
  using enum ErrorClass;
  static constexpr std::array<FaultText, 10> kTexts{{
      {none, "", ""},
      {protocol_mismatch, "not_fastcgi", "what answers does not speak FastCGI"},
      {invalid_response, "version", "a record of another FastCGI version within the answer"},
      {invalid_response, "type", "a record that no FastCGI application sends"},
      {invalid_response, "request_id", "a record that belongs to another request"},
      {invalid_response, "end_request", "the last record is too short"},
      {invalid_response, "header", "a line that is no header stands before the body"},
      {invalid_response, "status", "the Status header holds no code"},
      {headers_too_large, "over_64KiB_or_200_lines", ""},
      {invalid_response, "stderr_flood", "more than 1 MiB of error text, and no end of it"},
  }};
  return kTexts.at(static_cast<std::size_t>(fault));
}

void judge_protocol_status(const FastcgiAnswer& answer, Outcome& outcome) {
  switch (answer.protocol_status()) {
    case kRequestComplete:
      return;
    case kOverloaded:
      return set(outcome, ErrorClass::pool_exhausted, "overloaded",
                 "the application says that it is overloaded");
    case kCantMultiplex:
      return set(outcome, ErrorClass::invalid_response, "cant_multiplex",
                 "the application refuses to serve two requests on one connection; it got one");
    default:
      return set(outcome, ErrorClass::protocol_mismatch, "unknown_role",
                 "the application serves no responder's requests");
  }
}

/// PHP's own limit has ended the script: the answer is a 500 like any other.
bool was_stopped_by_limit(const FastcgiAnswer& answer) {
  return answer.errors().find("Maximum execution time of") != std::string_view::npos;
}

void judge_status(const FastcgiOptions& options, const FastcgiAnswer& answer, Outcome& outcome) {
  const int status = answer.status();
  Classified found =
      classify_status(status, options.expect_status.contains(status), answer.http().body_start());
  if (found.error == ErrorClass::http_5xx && was_stopped_by_limit(answer)) {
    found.error = ErrorClass::worker_timeout;
  }
  outcome.error = found.error;
  outcome.detail = std::move(found.detail);
  if (found.error != ErrorClass::none) outcome.message = first_error(answer);
  if (answer.http().body_capped()) add_detail(outcome, "body_capped");
}

}  // namespace

void judge_fastcgi(const FastcgiOptions& options, const FastcgiAnswer& answer, Outcome& outcome) {
  if (answer.fault() != FastcgiFault::none) {
    const FaultText text = text_of(answer.fault());
    return set(outcome, text.error, text.detail, text.message);
  }
  if (answer.ended() && answer.protocol_status() != kRequestComplete) {
    return judge_protocol_status(answer, outcome);
  }
  if (answer.header_complete()) return judge_status(options, answer, outcome);
  set(outcome, ErrorClass::invalid_response, "no_headers", first_error(answer));
  if (answer.app_status() != 0) {
    add_detail(outcome, "app_status_" + std::to_string(answer.app_status()));
  }
}

void judge_fastcgi_end(const FastcgiAnswer& answer, Stream::End end, Outcome& outcome) {
  const bool reset = end == Stream::End::reset;
  const std::string_view how = reset ? "rst" : "fin";
  if (answer.header_complete()) {
    return set(outcome, ErrorClass::body_truncated, how, first_error(answer));
  }
  set(outcome, reset ? ErrorClass::reset_before_headers : ErrorClass::closed_before_headers, how,
      first_error(answer));
  if (!answer.empty()) add_detail(outcome, "partial_answer");
}

}  // namespace ua
