// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "collectors/probes/http/http_classify.h"
#include "collectors/probes/net/dial.h"
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

TEST_CASE("a refusal where this host listens is a rule's, and a full queue may refuse too") {
  DialFailure refused = failed(ECONNREFUSED);
  refused.listening = true;
  CHECK(classify_dial(refused).error == connect_firewall_rejected);
  CHECK(classify_dial(refused).detail == "rst,listening");
  refused.queue_full = true;
  CHECK(classify_dial(refused).error == listen_queue_full);
  DialFailure other = failed(EHOSTUNREACH);
  other.listening = true;
  CHECK(classify_dial(other).error == unreachable);
}

TEST_CASE("no address to connect from is no lack of ports") {
  DialFailure failure = failed(EADDRNOTAVAIL);
  CHECK(classify_dial(failure).error == local_resources_exhausted);
  failure.no_source = true;
  CHECK(classify_dial(failure).error == unreachable);
  DialFailure zone = failed(EINVAL);
  CHECK(classify_dial(zone).error == unreachable);  // a blackhole route
  zone.zone_missing = true;
  CHECK(classify_dial(zone).error == config_invalid);
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
  HttpEvidence strange = plain(CURLE_UNSUPPORTED_PROTOCOL);
  strange.error_text = "Received HTTP/0.9 when not allowed";
  CHECK(classify_transfer(strange).error == protocol_mismatch);
  strange.error_text = "Unsupported response code in HTTP response";
  CHECK(classify_transfer(strange).error == invalid_response);
  strange.error_text = "Unsupported HTTP version in response";
  CHECK(classify_transfer(strange).error == invalid_response);
  HttpEvidence huge = plain(CURLE_OUT_OF_MEMORY);
  CHECK(classify_transfer(huge).error == headers_too_large);
  huge.request_sent = false;
  CHECK(classify_transfer(huge).error == local_resources_exhausted);
  HttpEvidence folded = plain(CURLE_BAD_FUNCTION_ARGUMENT);
  CHECK(classify_transfer(folded).error == invalid_response);
  folded.request_sent = false;
  CHECK(classify_transfer(folded).error == config_invalid);
}

TEST_CASE("how a Unix socket refused libcurl's own connect") {
  HttpEvidence evidence = plain(CURLE_COULDNT_CONNECT);
  evidence.unix_socket = true;
  CHECK(classify_transfer(evidence).error == listen_queue_full);  // EAGAIN, which libcurl hides
  evidence.connect_errno = EAGAIN;
  CHECK(classify_transfer(evidence).error == listen_queue_full);
  evidence.connect_errno = ENOENT;
  CHECK(classify_transfer(evidence).error == connect_refused);
  evidence.connect_errno = EACCES;
  CHECK(classify_transfer(evidence).error == permission_denied);
  evidence.connect_errno = EMFILE;
  CHECK(classify_transfer(evidence).error == local_resources_exhausted);
}

TEST_CASE("an alert after the handshake is about what it cut off") {
  HttpEvidence evidence = plain(CURLE_RECV_ERROR);
  evidence.tls = true;
  evidence.handshake_done = true;
  evidence.error_text = "OpenSSL SSL_read: error:0A000438:SSL routines::tlsv1 alert internal error";
  CHECK(classify_transfer(evidence).error == closed_before_headers);
  CHECK(classify_transfer(evidence).detail == "alert_80");
  evidence.header_complete = true;
  CHECK(classify_transfer(evidence).error == body_truncated);
  evidence.header_complete = false;
  evidence.error_text = "error:0A00045C:SSL routines::tlsv13 alert certificate required";
  CHECK(classify_transfer(evidence).error == tls_client_cert_required);
  CHECK(classify_transfer(evidence).detail == "alert_116");
  evidence.handshake_done = false;
  evidence.error_text = "sslv3 alert handshake failure";
  CHECK(classify_transfer(evidence).error == tls_handshake_failed);
  CHECK(classify_transfer(evidence).detail == "alert");
}

TEST_CASE("an alert is told by its number, whatever the words") {
  HttpEvidence evidence = plain(CURLE_SSL_CONNECT_ERROR);
  evidence.tls = true;
  evidence.tcp.known = true;
  evidence.error_text = "error:0A000458:SSL routines::tlsv1 unrecognized name";
  CHECK(classify_transfer(evidence).error == tls_handshake_failed);
  CHECK(classify_transfer(evidence).detail == "alert_112");
  // A reason below 1000 is OpenSSL's own, one above 1255 is none of TLS.
  for (const char* text : {"error:0A000126:SSL routines::unexpected eof while reading",
                           "error:0A0004E8:SSL routines::x", "error:0A00", "error:0A0000zz:x"}) {
    CAPTURE(text);
    evidence.error_text = text;
    CHECK(classify_transfer(evidence).detail == "fin");
  }
}

TEST_CASE("a closed TLS connection is told from a reset one by OpenSSL, not by its own aftermath") {
  HttpEvidence evidence = plain(CURLE_RECV_ERROR);
  evidence.tls = true;
  evidence.handshake_done = true;
  evidence.tcp.known = true;
  evidence.tcp.reset = true;  // the answer to our close_notify
  evidence.error_text = "SSL_read: SSL_ERROR_SYSCALL, errno 0";
  CHECK(classify_transfer(evidence).detail == "fin");
  evidence.error_text = "SSL_read: Connection reset by peer, errno 104";
  CHECK(classify_transfer(evidence).detail == "rst");
  CHECK(classify_transfer(evidence).error == reset_before_headers);
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
