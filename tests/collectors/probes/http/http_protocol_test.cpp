// SPDX-License-Identifier: Apache-2.0
// Client certificates and HTTP/2 in the decision list of http_classify.cpp.
#include "collectors/probes/http/http_classify.h"
#include "tests/catch.h"

namespace ua {
namespace {

using enum ErrorClass;

HttpEvidence over_tls(CURLcode code, const char* text = "") {
  HttpEvidence evidence;
  evidence.code = code;
  evidence.tls = true;
  evidence.error_text = text;
  return evidence;
}

std::string told(const HttpEvidence& evidence) {
  const Classified classified = classify_transfer(evidence);
  return std::string(name(classified.error)) + ' ' + classified.detail;
}

TEST_CASE("a demand for a certificate before the connection breaks off") {
  HttpEvidence evidence = over_tls(CURLE_SSL_CONNECT_ERROR, "sslv3 alert handshake failure");
  evidence.client_cert_requested = true;
  CHECK(told(evidence) == "tls_client_cert_required cert_requested");
  evidence.client_cert_offered = true;
  CHECK(told(evidence) == "tls_client_cert_required cert_requested");
  // Refused by name, whatever was offered.
  evidence.error_text = "error:0A000418:SSL routines::tlsv1 alert unknown ca";
  CHECK(told(evidence) == "tls_client_cert_required alert_48");

  HttpEvidence closed = over_tls(CURLE_GOT_NOTHING);
  closed.client_cert_requested = true;
  closed.handshake_done = true;
  closed.request_sent = true;
  CHECK(told(closed) == "tls_client_cert_required cert_requested,closed");
  closed.client_cert_offered = true;
  CHECK(told(closed) == "closed_before_headers cert_requested");
  closed.tcp.known = true;
  CHECK(told(closed) == "closed_before_headers fin,cert_requested");

  HttpEvidence expired =
      over_tls(CURLE_PEER_FAILED_VERIFICATION, "certificate verification failed");
  CHECK(classify_transfer(expired).error == tls_cert_untrusted);
  expired.peer_alert = 45;
  CHECK(told(expired) == "tls_client_cert_required alert_45");
}

TEST_CASE("an alert counts that was read after our own sending had failed") {
  HttpEvidence evidence = over_tls(CURLE_SEND_ERROR, "SSL_write: errno 32");
  evidence.handshake_done = evidence.client_cert_requested = evidence.client_cert_offered = true;
  CHECK(classify_transfer(evidence).error == reset_before_headers);
  for (const int alert : {42, 43, 44, 45, 46, 48, 116}) {
    INFO(alert);
    evidence.peer_alert = alert;
    CHECK(told(evidence) == "tls_client_cert_required alert_" + std::to_string(alert));
  }
  evidence.peer_alert = 80;
  CHECK(classify_transfer(evidence).error == reset_before_headers);
}

TEST_CASE("pages that tell of the connection") {
  const auto page = [](int status, const char* body) {
    return classify_status(status, false, body).error;
  };
  CHECK(page(400, "<title>400 No required SSL certificate was sent</title>") ==
        tls_client_cert_required);
  CHECK(page(400, "<title>400 The SSL certificate error</title>") == tls_client_cert_required);
  CHECK(page(403, "Unknown ALPN Protocol, expected `h2` to be available.") == protocol_mismatch);
  CHECK(page(400, "expected `h2` to be available") == http_4xx);
  CHECK(classify_status(400, true, "No required SSL certificate was sent").error == none);
}

TEST_CASE("HTTP/2 errors keep their code") {
  HttpEvidence evidence = over_tls(
      CURLE_HTTP2_STREAM, "HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)");
  CHECK(told(evidence) == "http2_error h2_2");
  evidence.error_text = "HTTP/2 stream 1 was not closed cleanly before end of the stream";
  CHECK(told(evidence) == "http2_error ");
  for (const char* text : {"(err ", "(err x)", "(err 2", "(err 99999999999)"}) {
    INFO(text);
    evidence.error_text = text;
    CHECK(told(evidence) == "http2_error ");
  }
}

TEST_CASE("what libcurl would ask again for is an error of the stream") {
  CHECK(stream_error_of("REFUSED_STREAM, retrying a fresh connect") == 7);
  CHECK(stream_error_of("Downgrades to HTTP/1.1") == 13);
  CHECK(stream_error_of("recveived GOAWAY, error=11, last_stream=1") == 11);
  CHECK(stream_error_of("received GOAWAY, error=1, last_stream=0") == 1);
  CHECK_FALSE(stream_error_of("recveived GOAWAY, error=0, last_stream=0"));
  CHECK_FALSE(stream_error_of("recveived GOAWAY, error=x"));
  CHECK_FALSE(stream_error_of("h2 [x: REFUSED_STREAM, retrying a fresh connect]"));
  HttpEvidence evidence;
  evidence.code = CURLE_COULDNT_CONNECT;  // no second socket
  evidence.request_sent = true;
  CHECK(classify_transfer(evidence).error == reset_before_headers);
  evidence.stream_error = 7;
  CHECK(told(evidence) == "http2_error h2_7");
}

TEST_CASE("a server that shares no protocol with us, or answers a preface in another") {
  CHECK(told(over_tls(CURLE_SSL_CONNECT_ERROR,
                      "error:0A000460:SSL routines::tlsv1 alert no application protocol")) ==
        "protocol_mismatch alert_120");
  HttpEvidence evidence;
  evidence.code = CURLE_GOT_NOTHING;
  evidence.request_sent = true;
  evidence.tcp.known = true;
  evidence.tcp.fin_received = true;
  evidence.tcp.bytes_received = 100;
  CHECK(classify_transfer(evidence).error == closed_before_headers);
  evidence.asked_version = HttpVersion::v2_prior;
  CHECK(told(evidence) == "protocol_mismatch not_http2");
  evidence.tcp.bytes_received = 1;  // of the FIN
  CHECK(classify_transfer(evidence).error == closed_before_headers);
}

}  // namespace
}  // namespace ua
