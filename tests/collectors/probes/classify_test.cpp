// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "collectors/probes/dial.h"
#include "collectors/probes/http_classify.h"
#include "tests/catch.h"

namespace ua {
namespace {

using enum ErrorClass;

DialFailure failed(int error, bool unix_socket = false) {
  DialFailure failure;
  failure.error = error;
  failure.unix_socket = unix_socket;
  return failure;
}

TEST_CASE("a failed connect's errno leads to one class") {
  CHECK(classify_dial(failed(ECONNREFUSED)).error == connect_refused);
  CHECK(classify_dial(failed(ENOENT, true)).error == connect_refused);
  CHECK(classify_dial(failed(EACCES, true)).error == permission_denied);
  CHECK(classify_dial(failed(EAGAIN, true)).error == listen_queue_full);
  CHECK(classify_dial(failed(EHOSTUNREACH)).error == unreachable);
  CHECK(classify_dial(failed(EINVAL)).error == unreachable);
  CHECK(classify_dial(failed(ECONNRESET)).error == reset_before_headers);
  CHECK(classify_dial(failed(ETIMEDOUT)).error == connect_timeout);
  for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL}) {
    CHECK(classify_dial(failed(error)).error == local_resources_exhausted);
  }
  CHECK(classify_dial(failed(ECONNREFUSED)).detail == "errno_111");
}

TEST_CASE("an ICMP answer tells a firewall from a closed port and from a missing route") {
  DialFailure failure = failed(ECONNREFUSED);
  failure.icmp = IcmpError{false, 3, 3};
  CHECK(classify_dial(failure).error == connect_firewall_rejected);
  CHECK(classify_dial(failure).detail == "icmp_3_3");
  failure = failed(EHOSTUNREACH);
  failure.icmp = IcmpError{false, 3, 13};
  CHECK(classify_dial(failure).error == connect_firewall_rejected);
  failure.icmp = IcmpError{false, 3, 1};
  CHECK(classify_dial(failure).error == unreachable);
  failure = failed(EACCES);
  failure.icmp = IcmpError{true, 1, 1};
  CHECK(classify_dial(failure).error == connect_firewall_rejected);
}

TEST_CASE("a connect without an answer is a full accept queue only where the kernel says so") {
  DialFailure failure;
  failure.timed_out = true;
  CHECK(classify_dial(failure).error == connect_timeout);
  failure.queue_full = true;
  CHECK(classify_dial(failure).error == listen_queue_full);
}

HttpEvidence plain(CURLcode code) {
  HttpEvidence evidence;
  evidence.code = code;
  evidence.request_sent = true;
  return evidence;
}

TEST_CASE("how a transfer ended leads to one class") {
  CHECK(classify_transfer(plain(CURLE_GOT_NOTHING)).error == closed_before_headers);
  CHECK(classify_transfer(plain(CURLE_RECV_ERROR)).error == reset_before_headers);
  CHECK(classify_transfer(plain(CURLE_SEND_ERROR)).error == reset_before_headers);
  CHECK(classify_transfer(plain(CURLE_COULDNT_CONNECT)).error == reset_before_headers);
  CHECK(classify_transfer(plain(CURLE_OK)).error == closed_before_headers);  // cut header block
  HttpEvidence whole = plain(CURLE_OK);
  whole.header_complete = true;
  CHECK(classify_transfer(whole).error == none);
  whole.code = CURLE_RECV_ERROR;
  CHECK(classify_transfer(whole).error == body_truncated);
  CHECK(classify_transfer(plain(CURLE_UNSUPPORTED_PROTOCOL)).error == protocol_mismatch);
  HttpEvidence huge = plain(CURLE_OUT_OF_MEMORY);
  CHECK(classify_transfer(huge).error == local_resources_exhausted);
  huge.status = 200;
  CHECK(classify_transfer(huge).error == headers_too_large);
}

TEST_CASE("where the deadline struck leads to one class") {
  HttpEvidence evidence;
  evidence.timed_out = true;
  CHECK(classify_transfer(evidence).error == response_timeout);
  evidence.tcp.known = true;
  evidence.tcp.unacked = 1;
  evidence.tcp.retransmits = 2;
  CHECK(classify_transfer(evidence).error == request_unacked);
  evidence.header_complete = true;
  CHECK(classify_transfer(evidence).error == body_timeout);
  evidence.header_complete = false;
  evidence.tls = true;
  CHECK(classify_transfer(evidence).error == tls_timeout);
}

TEST_CASE("what TLS said leads to one class") {
  HttpEvidence evidence = plain(CURLE_PEER_FAILED_VERIFICATION);
  evidence.tls = true;
  evidence.verify_result = 10;
  CHECK(classify_transfer(evidence).error == tls_cert_expired);
  evidence.verify_result = 9;
  CHECK(classify_transfer(evidence).error == tls_cert_expired);
  evidence.verify_result = 18;
  CHECK(classify_transfer(evidence).error == tls_cert_untrusted);
  evidence.verify_result = 1;
  evidence.certificates = true;
  CHECK(classify_transfer(evidence).error == tls_cert_name_mismatch);
  evidence.code = CURLE_SSL_CONNECT_ERROR;
  evidence.error_text = "error:0A00010B:SSL routines::wrong version number";
  CHECK(classify_transfer(evidence).error == protocol_mismatch);
  evidence.error_text = "sslv3 alert handshake failure";
  CHECK(classify_transfer(evidence).error == tls_handshake_failed);
  evidence.client_cert_requested = true;
  CHECK(classify_transfer(evidence).error == tls_client_cert_required);
  evidence.code = CURLE_SEND_ERROR;  // TLS 1.3: closed after the handshake
  CHECK(classify_transfer(evidence).error == tls_client_cert_required);
}

TEST_CASE("a status that is not accepted has a class of its own kind") {
  CHECK(classify_status(200, true, "").error == none);
  CHECK(classify_status(404, false, "").error == http_4xx);
  CHECK(classify_status(429, false, "").error == rate_limited);
  CHECK(classify_status(500, false, "").error == http_5xx);
  CHECK(classify_status(502, false, "").error == http_gateway_error);
  CHECK(classify_status(503, false, "").error == http_503);
  CHECK(classify_status(204, false, "").error == content_mismatch);
  CHECK(classify_status(400, true, "Client sent an HTTP request to an HTTPS server.").error ==
        protocol_mismatch);
}

}  // namespace
}  // namespace ua
