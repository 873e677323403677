// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http_classify.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>
#include <utility>

namespace ua {
namespace {

using enum ErrorClass;

constexpr int kTooLarge = 100;  // CURLE_TOO_LARGE, which libcurl before 8.6 does not name
constexpr long kNotYetValid = 9;
constexpr long kExpired = 10;
constexpr long kNotSet = 1;
constexpr long kHostnameMismatch = 62;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool contains_any(std::string_view text, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return contains(text, part); });
}

std::string how_closed(const HttpEvidence& e) {
  if (contains(e.error_text, "reset by peer") || contains(e.error_text, "errno 104")) return "rst";
  // Our close_notify to a peer that has closed draws a RST of its own: no evidence.
  if (e.tls) return e.tcp.known ? "fin" : "";
  if (e.tcp.reset) return "rst";
  return e.tcp.fin_received ? "fin" : "";
}

Classified certificate(const HttpEvidence& e) {
  if (e.verify_result == kExpired) return {tls_cert_expired, "x509_10"};
  if (e.verify_result == kNotYetValid) return {tls_cert_expired, "x509_9"};
  // A pure name mismatch leaves the verify result unset but keeps the chain.
  const bool name = e.verify_result == kHostnameMismatch ||
                    contains(e.error_text, "subject name matches") ||
                    contains(e.error_text, "does not match target host name") ||
                    (e.verify_result == kNotSet && e.certificates);
  if (name) return {tls_cert_name_mismatch, "name"};
  return {tls_cert_untrusted, "x509_" + std::to_string(e.verify_result)};
}

/// "alert_112" of OpenSSL's "error:0A000458:SSL routines::tlsv1 unrecognized name": a reason from
/// 1000 on is an alert of the peer's. Empty where there is none.
std::string alert_of(std::string_view text) {
  constexpr std::string_view kLibrary = "error:0A";
  constexpr unsigned kReasonOfAlert0 = 1000;
  const std::size_t at = text.find(kLibrary);
  if (at == std::string_view::npos) return "";
  const std::string_view digits = text.substr(at + kLibrary.size(), 6);
  unsigned reason = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), reason, 16);
  const bool whole = error == std::errc() && digits.size() == 6 && end == digits.data() + 6;
  if (!whole || reason < kReasonOfAlert0 || reason > kReasonOfAlert0 + 255) return "";
  return "alert_" + std::to_string(reason - kReasonOfAlert0);
}

/// What the peer said; TLS libraries other than OpenSSL give a text alone.
std::string alert_token(std::string_view text) {
  std::string result = alert_of(text);
  return result.empty() && contains(text, "alert") ? "alert" : result;
}

bool about_client_certificate(const HttpEvidence& e) {
  static constexpr std::array<std::string_view, 8> kClientCertificate{
      "certificate required",
      "alert bad certificate",
      "alert unknown ca",
      "0A00045C",
      "alert unsupported certificate",
      "alert certificate revoked",
      "alert certificate expired",
      "alert certificate unknown"};
  return contains_any(e.error_text, kClientCertificate);
}

Classified handshake(const HttpEvidence& e) {
  static constexpr std::array<std::string_view, 6> kOtherProtocol{
      "wrong version number",   "0A00010B", "http request", "0A00009C",
      "packet length too long", "0A0000C6"};
  if (contains_any(e.error_text, kOtherProtocol)) return {protocol_mismatch, "not_tls"};
  std::string alert = alert_token(e.error_text);
  if (about_client_certificate(e)) return {tls_client_cert_required, std::move(alert)};
  if (e.client_cert_requested) return {tls_client_cert_required, "cert_requested"};
  return {tls_handshake_failed, alert.empty() ? how_closed(e) : std::move(alert)};
}

Classified timed_out(const HttpEvidence& e) {
  if (e.tls && !e.handshake_done) return {tls_timeout, ""};
  if (e.header_complete) return {body_timeout, ""};
  if (e.tcp.blackholed()) return {request_unacked, "unacked"};
  return {response_timeout, e.status != 0 ? "partial_headers" : ""};
}

/// Ended before a complete header block, by FIN or RST.
Classified no_headers(const HttpEvidence& e, ErrorClass error) {
  const bool demanded = e.client_cert_requested && e.status == 0;
  if (demanded) return {tls_client_cert_required, "cert_requested,closed"};
  return {error, how_closed(e)};
}

Classified receive_error(const HttpEvidence& e) {
  if (contains(e.error_text, "chunk")) return {invalid_response, "chunk"};
  if (contains(e.error_text, "Connection died, tried")) return {http2_error, ""};
  if (contains(e.error_text, "Too large response headers") ||
      contains(e.error_text, "Too many response headers")) {
    return {headers_too_large, ""};
  }
  std::string alert = e.tls ? alert_token(e.error_text) : "";
  const bool alerted = !alert.empty();
  if (e.header_complete) return {body_truncated, alerted ? std::move(alert) : how_closed(e)};
  // TLS 1.3 tells of a missing client certificate after the handshake only.
  if (alerted && !e.handshake_done) return handshake(e);
  if (alerted && about_client_certificate(e)) return {tls_client_cert_required, std::move(alert)};
  if (alerted) return {closed_before_headers, std::move(alert)};
  return no_headers(e, how_closed(e) == "fin" ? closed_before_headers : reset_before_headers);
}

/// libcurl hides EAGAIN, a full queue, as no error at all.
Classified unix_connect(const HttpEvidence& e) {
  DialFailure failure;
  failure.unix_socket = true;
  failure.error = e.connect_errno == 0 ? EAGAIN : e.connect_errno;
  return classify_dial(failure);
}

Classified no_status_line(const HttpEvidence& e) {
  if (!e.request_sent) return {config_invalid, "curl_1"};
  // Only this text is about bytes that do not begin with "HTTP/".
  if (contains(e.error_text, "HTTP/0.9")) return {protocol_mismatch, "not_http"};
  return {invalid_response, "status_line"};
}

/// Rows that need no more than libcurl's code. `unknown`: not one of them.
Classified by_code_alone(const HttpEvidence& e) {
  switch (e.code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_SETOPT_OPTION_SYNTAX:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
      return {config_invalid, "curl_" + std::to_string(e.code)};
    case CURLE_BAD_FUNCTION_ARGUMENT:
      // Of an answer: its first header begins with a blank, as if it continued another.
      if (e.request_sent) return {invalid_response, "header"};
      return {config_invalid, "curl_43"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate(e);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
      return {tls_cert_untrusted, "curl_" + std::to_string(e.code)};
    case CURLE_SSL_CLIENTCERT:
      return {tls_client_cert_required, ""};
    case CURLE_SSL_CONNECT_ERROR:
      return handshake(e);
    case CURLE_WEIRD_SERVER_REPLY:
      return {invalid_response, "header"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {invalid_response, "encoding"};
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return {http2_error, ""};
    case CURLE_FILESIZE_EXCEEDED:
      return {content_mismatch, "too_large"};
    default:
      return {unknown, "curl_" + std::to_string(e.code)};
  }
}

}  // namespace

Classified classify_transfer(const HttpEvidence& e) {
  if (e.timed_out) return timed_out(e);
  switch (static_cast<int>(e.code)) {
    case CURLE_OK:
      // libcurl calls a header block cut off by a FIN a success.
      if (!e.header_complete) return no_headers(e, closed_before_headers);
      return {};
    case CURLE_UNSUPPORTED_PROTOCOL:
      return no_status_line(e);
    case CURLE_OUT_OF_MEMORY:
      // An endless status or header line, in libcurl before 8.
      return {e.request_sent ? headers_too_large : local_resources_exhausted, "curl_27"};
    case kTooLarge:
      return {headers_too_large, ""};
    case CURLE_GOT_NOTHING:
      if (e.http2_asked && e.tcp.bytes_received > 1) return {protocol_mismatch, "not_http2"};
      return no_headers(e, closed_before_headers);
    case CURLE_PARTIAL_FILE:
      if (e.status == 0) return no_headers(e, closed_before_headers);
      return {body_truncated, how_closed(e)};
    case CURLE_COULDNT_CONNECT:
      if (e.unix_socket) return unix_connect(e);
      // We had connected: the peer has reset the connection since.
      return no_headers(e, reset_before_headers);
    case CURLE_SEND_ERROR:
      return no_headers(e, reset_before_headers);
    case CURLE_RECV_ERROR:
      return receive_error(e);
    default:
      return by_code_alone(e);
  }
}

Classified classify_status(int status, bool accepted, std::string_view body_start) {
  if (status == 400 &&
      (contains(body_start, "plain HTTP request was sent to HTTPS port") ||
       contains(body_start, "Client sent an HTTP request to an HTTPS server") ||
       contains(body_start, "speaking plain HTTP to an SSL-enabled server port"))) {
    return {protocol_mismatch, "http_to_tls"};
  }
  if (accepted) return {};
  std::string detail = "status_" + std::to_string(status);
  if (status == 429) return {rate_limited, std::move(detail)};
  if (status == 503) return {http_503, std::move(detail)};
  if (status == 502 || status == 504) return {http_gateway_error, std::move(detail)};
  if (status >= 500 && status <= 599) return {http_5xx, std::move(detail)};
  if (status >= 400 && status <= 499) return {http_4xx, std::move(detail)};
  return {content_mismatch, std::move(detail)};
}

}  // namespace ua
