// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_facts.h"

#include <algorithm>

namespace ua {
namespace {

long number(CURL* handle, CURLINFO what) {
  long value = 0;
  curl_easy_getinfo(handle, what, &value);
  return value;
}

Duration time(CURL* handle, CURLINFO what) {
  curl_off_t value = 0;
  curl_easy_getinfo(handle, what, &value);
  return std::chrono::microseconds(value);
}

double version_of(long version) {
  switch (version) {
    case CURL_HTTP_VERSION_1_0:
      return 1.0;
    case CURL_HTTP_VERSION_1_1:
      return 1.1;
    case CURL_HTTP_VERSION_2_0:
      return 2.0;
    default:
      return 0;
  }
}

}  // namespace

void read_transfer(CURL* handle, HttpEvidence& evidence) {
  evidence.status = static_cast<int>(number(handle, CURLINFO_RESPONSE_CODE));
  evidence.version = version_of(number(handle, CURLINFO_HTTP_VERSION));
  evidence.request_sent = number(handle, CURLINFO_REQUEST_SIZE) > 0;
  evidence.connect_errno = static_cast<int>(number(handle, CURLINFO_OS_ERRNO));
  if (!evidence.tls) return;
  evidence.handshake_done = time(handle, CURLINFO_APPCONNECT_TIME_T) > Duration::zero();
  evidence.verify_result = number(handle, CURLINFO_SSL_VERIFYRESULT);
}

HttpFacts http_facts(const HttpEvidence& evidence, const HttpAnswer& answer) {
  HttpFacts facts;
  facts.status_code = evidence.status;
  facts.version = evidence.version;
  facts.body_bytes = answer.body_bytes();
  return facts;
}

PhaseTimes read_times(CURL* handle, const HttpEvidence& evidence, const HttpAnswer& answer,
                      Duration tunnel, Time started, Time now) {
  PhaseTimes times;
  // Where libcurl connected, its first phase is ours to tell; so is what the way through a proxy
  // took beyond our own connect.
  const Duration connected = evidence.unix_socket ? time(handle, CURLINFO_CONNECT_TIME_T) : tunnel;
  if (connected > Duration::zero()) times.set(TimedPhase::connect, connected);
  const Duration handshake = std::max(time(handle, CURLINFO_APPCONNECT_TIME_T), connected);
  const Duration ready = time(handle, CURLINFO_PRETRANSFER_TIME_T);
  if (evidence.handshake_done) times.set(TimedPhase::tls, handshake - tunnel);
  if (ready == Duration::zero() || !evidence.request_sent) return times;
  times.set(TimedPhase::request, std::max(ready - handshake, Duration::zero()));
  if (!evidence.header_complete) return times;
  times.set(TimedPhase::response_headers,
            std::max(answer.headers_at() - started - ready, Duration::zero()));
  const bool whole = !evidence.timed_out && evidence.code == CURLE_OK;
  if (whole) times.set(TimedPhase::response_body, now - answer.headers_at());
  return times;
}

}  // namespace ua
