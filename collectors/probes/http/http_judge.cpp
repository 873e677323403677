// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_judge.h"

#include <string>
#include <utility>

namespace ua {
namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// RFC 9110 section 15.4, as clients do it: the older codes ask for GET, 307 and 308 for the same
/// again, body included. It holds what was meant for the configured server alone.
Result<Target> next_hop(const HttpOptions& http, const Target& target, int status,
                        const std::string& location) {
  if (location.empty()) return fail("leads nowhere: there is no Location");
  Result<Target> to = resolve_location(target, location);
  if (!to) return fail("leads nowhere: " + to.error().message);
  if (status != 307 && status != 308) {
    to->as_get = to->as_get || (http.method != "GET" && http.method != "HEAD");
  }
  if (to->foreign_origin && !to->as_get && !http.body.empty()) {
    return fail("asks to send the request's body to another server, " + to->label);
  }
  return to;
}

void judge_redirect(const HttpOptions& http, const Target& target, int status,
                    const std::string& location, ProbeResult& result) {
  Result<Target> to = next_hop(http, target, status, location);
  if (to) {
    result.follow = std::move(*to);
    return;
  }
  result.outcome.error = ErrorClass::content_mismatch;
  result.outcome.detail = "redirect";
  result.outcome.message = "status " + std::to_string(status) + ' ' + to.error().message;
}

bool is_other_version(const HttpEvidence& evidence) {
  const bool http2 =
      evidence.asked_version == HttpVersion::v2 || evidence.asked_version == HttpVersion::v2_prior;
  return http2 && evidence.version != 2;
}

}  // namespace

void judge_answer(const HttpOptions& http, const Target& target, const HttpEvidence& evidence,
                  const HttpAnswer& answer, ProbeResult& result) {
  const int status = evidence.status;
  if (is_other_version(evidence)) {
    result.outcome.error = ErrorClass::protocol_mismatch;
    result.outcome.detail = "not_http2";
    result.outcome.message = "the server answers in HTTP/1, and http.version asks for HTTP/2";
    return;
  }
  if (evidence.proxied && !evidence.tunnelled && status == 407) {
    result.outcome.error = ErrorClass::config_invalid;
    result.outcome.detail = "status_407";
    return;
  }
  if (http.follow_redirects && is_redirect(status)) {
    return judge_redirect(http, target, status, answer.location(), result);
  }
  Classified by_status =
      classify_status(status, http.expect_status.contains(status), evidence.body_start);
  Outcome& outcome = result.outcome;
  outcome.error = by_status.error;
  outcome.detail = std::move(by_status.detail);
  if (answer.body_capped()) add_detail(outcome, "body_capped");
}

}  // namespace ua
