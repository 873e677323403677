// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_trouble.h"

#include <utility>

namespace ua {
namespace {

ProbeResult trouble(ErrorClass error, std::string_view detail, std::string_view message) {
  ProbeResult result;
  result.outcome.error = error;
  result.outcome.detail = detail;
  result.outcome.message = message;
  return result;
}

}  // namespace

ProbeResult own_trouble(std::string_view detail, std::string_view message) {
  return trouble(ErrorClass::local_resources_exhausted, detail, message);
}

ProbeResult bad_identity(std::string_view message) {
  return trouble(ErrorClass::config_invalid, "client_certificate", message);
}

ProbeResult bad_roots(std::string_view message) {
  return trouble(ErrorClass::config_invalid, "root_certificates", message);
}

ProbeResult out_of_time_matching(ProbeResult verdict) {
  Outcome& outcome = verdict.outcome;
  outcome.error = ErrorClass::local_resources_exhausted;
  outcome.detail = "patterns";
  outcome.message =
      "the answer came in time, but matching its headers and body took too long: simplify the "
      "patterns or lower max_body";
  return verdict;
}

}  // namespace ua
