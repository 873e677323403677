// SPDX-License-Identifier: Apache-2.0
// From any evidence to exactly one class.
#include "collectors/core/error_class.h"
#include "collectors/probes/http/http_classify.h"
#include "collectors/probes/net/dial.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

HttpEvidence evidence(Input& input) {
  HttpEvidence result;
  result.code = static_cast<CURLcode>(input.below(CURL_LAST));
  result.timed_out = input.coin();
  result.tls = input.coin();
  result.handshake_done = input.coin();
  const std::uint8_t client_cert = input.byte();
  result.client_cert_requested = (client_cert & 1U) != 0;
  result.client_cert_offered = (client_cert & 2U) != 0;
  result.peer_alert = (client_cert & 4U) != 0 ? 48 : 0;
  result.request_sent = input.coin();
  result.header_complete = input.coin();
  result.status = static_cast<int>(input.byte()) * 4;
  const std::uint8_t asked = input.byte();
  result.asked_version = static_cast<HttpVersion>(asked % 5);
  if (asked > 200) result.stream_error = asked - 200;
  result.verify_result = input.byte();
  result.certificates = input.coin();
  result.tcp.known = input.coin();
  result.tcp.fin_received = input.coin();
  result.tcp.reset = input.coin();
  result.tcp.bytes_received = input.byte();
  result.tcp.unacked = input.byte();
  result.tcp.retransmits = input.byte();
  result.body_start = input.text();
  result.error_text = input.rest();
  return result;
}

void check_transfer(const HttpEvidence& e) {
  const Classified transfer = classify_transfer(e);
  check_classified(transfer);
  if (transfer.error == ErrorClass::none) {
    expect(e.header_complete && !e.timed_out && e.code == CURLE_OK,
           "only a complete answer is none of the failures");
  }
  for (const bool accepted : {false, true}) {
    const Classified status = classify_status(e.status, accepted, e.body_start);
    check_classified(status);
    expect(accepted || status.error != ErrorClass::none, "what is not accepted is a failure");
  }
}

void check_dial(Input& input) {
  DialFailure failure;
  failure.error = input.byte();
  failure.no_socket = input.coin();
  failure.timed_out = input.coin();
  failure.unix_socket = input.coin();
  failure.queue_full = input.coin();
  if (input.coin()) failure.icmp = IcmpError{input.coin(), input.byte(), input.byte()};
  const Classified dial = classify_dial(failure);
  check_classified(dial);
  expect(dial.error != ErrorClass::none, "a connection that failed has a class");
}

}  // namespace

void classify(std::string_view bytes) {
  Input input(bytes);
  check_dial(input);
  check_transfer(evidence(input));
}

}  // namespace ua::fuzz
