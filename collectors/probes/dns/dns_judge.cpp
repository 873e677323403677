// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_judge.h"

#include <algorithm>

namespace ua {
namespace {

using Kind = DnsAnswer::Kind;

void set(Outcome& outcome, ErrorClass error, std::string_view detail, std::string message) {
  outcome.error = error;
  outcome.detail = detail;
  outcome.message = std::move(message);
}

std::string expected(const std::vector<unsigned>& rcodes) {
  std::string text;
  for (const unsigned rcode : rcodes) text += (text.empty() ? "" : " or ") + dns_rcode_name(rcode);
  return text;
}

bool is_text(std::string_view bytes) {
  return bytes.size() >= 2 && std::all_of(bytes.begin(), bytes.end(), [](char c) {
           return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
         });
}

void add_count(std::string& text, unsigned count, std::string_view what) {
  if (count == 0) return;
  text += (text.empty() ? "" : ", ") + std::to_string(count) + ' ' + std::string(what);
}

}  // namespace

void judge_dns(const DnsOptions& options, const DnsAnswer& answer, Outcome& outcome) {
  if (answer.kind == Kind::malformed) {
    return set(outcome, ErrorClass::invalid_response, "malformed",
               "the answer's records cannot be read");
  }
  const auto& good = options.expect_rcode;
  if (std::find(good.begin(), good.end(), answer.rcode) != good.end()) return;
  set(outcome, ErrorClass::content_mismatch, "rcode_" + std::to_string(answer.rcode),
      "the server says " + dns_rcode_name(answer.rcode) + ", not " + expected(good));
}

void judge_dns_stream(std::string_view received, const DnsAnswer& answer, Outcome& outcome) {
  using enum ErrorClass;
  if (answer.kind == Kind::other_id && is_text(received.substr(0, 4))) {
    return set(outcome, protocol_mismatch, "not_dns", "what answers speaks another protocol");
  }
  if (answer.kind == Kind::other_id) {
    return set(outcome, invalid_response, "other_id",
               "the answer has another id than the question");
  }
  if (answer.kind == Kind::no_reply) {
    return set(outcome, invalid_response, "no_reply", "what came is no reply");
  }
  if (answer.kind == Kind::other_question) {
    return set(outcome, invalid_response, "other_question", "the answer is to another question");
  }
  set(outcome, invalid_response, "truncated", "the answer is truncated even over TCP");
}

void judge_dns_end(Stream::End end, bool partial, Outcome& outcome) {
  const bool reset = end == Stream::End::reset;
  set(outcome, reset ? ErrorClass::reset_before_headers : ErrorClass::closed_before_headers,
      reset ? "rst" : "fin", "");
  if (partial) add_detail(outcome, "partial_answer");
}

void DnsStrays::count(Kind kind) {
  if (kind == Kind::other_id) ++other_id;
  if (kind == Kind::no_reply) ++no_reply;
  if (kind == Kind::other_question) ++other_question;
}

void judge_dns_silence(const DnsStrays& strays, Outcome& outcome) {
  std::string text;
  add_count(text, strays.other_id, "with another id");
  add_count(text, strays.other_question, "to another question");
  add_count(text, strays.no_reply, "that are no reply");
  if (text.empty()) return set(outcome, ErrorClass::response_timeout, "", "no answer");
  set(outcome, ErrorClass::response_timeout, "stray_answers",
      "nothing came but what is not the answer: " + text);
  if (strays.no_reply == 0) return;
  outcome.error = ErrorClass::invalid_response;
  outcome.detail = "no_reply";
}

void apply_dns_mismatch(const std::optional<Mismatch>& mismatch, std::size_t records,
                        Outcome& outcome) {
  if (!mismatch) return;
  const bool rejected = mismatch->detail == "reject_body";
  set(outcome, ErrorClass::content_mismatch, rejected ? "reject_answers" : "expect_answers",
      rejected       ? "an answer record matches reject_answers"
      : records == 0 ? "the answer holds no record"
                     : "none of the answer's " + std::to_string(records) +
                           " records matches one of the patterns in expect_answers");
}

std::string dns_fields(const DnsAnswer& answer) {
  std::string text;
  for (const std::string& record : answer.records) text += "answer:" + record + '\n';
  return text;
}

std::string dns_lines(const DnsAnswer& answer) {
  std::string text;
  for (const std::string& record : answer.records) text += record + '\n';
  return text;
}

}  // namespace ua
