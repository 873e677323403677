// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_classify.h"

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

// Pages by which servers tell what is wrong with the connection itself.
constexpr std::array<std::string_view, 3> kHttpToTls{
    "plain HTTP request was sent to HTTPS port",           // nginx
    "Client sent an HTTP request to an HTTPS server",      // Go
    "speaking plain HTTP to an SSL-enabled server port"};  // Apache
constexpr std::array<std::string_view, 2> kNoClientCertificate{
    "No required SSL certificate was sent", "The SSL certificate error"};  // nginx
constexpr std::string_view kHttp2Alone = "expected `h2` to be available";  // Node

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

/// What the peer said; TLS libraries other than OpenSSL give a text alone. An alert that came in
/// while our own sending failed has no text.
std::string alert_token(const HttpEvidence& e) {
  std::string result = alert_of(e.error_text);
  if (result.empty() && e.peer_alert != 0) result = "alert_" + std::to_string(e.peer_alert);
  return result.empty() && contains(e.error_text, "alert") ? "alert" : result;
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
  const int alert = e.peer_alert;
  const bool by_number = (alert >= 42 && alert <= 46) || alert == 48 || alert == 116;
  return by_number || contains_any(e.error_text, kClientCertificate);
}

Classified handshake(const HttpEvidence& e) {
  static constexpr std::array<std::string_view, 6> kOtherProtocol{
      "wrong version number",   "0A00010B", "http request", "0A00009C",
      "packet length too long", "0A0000C6"};
  static constexpr std::array<std::string_view, 2> kNoAlpn{"no application protocol", "0A000460"};
  if (contains_any(e.error_text, kOtherProtocol)) return {protocol_mismatch, "not_tls"};
  std::string alert = alert_token(e);
  if (contains_any(e.error_text, kNoAlpn)) return {protocol_mismatch, std::move(alert)};
  if (about_client_certificate(e)) return {tls_client_cert_required, std::move(alert)};
  // What came before the demand was agreed on: little else is left to break it off for.
  if (e.client_cert_requested) return {tls_client_cert_required, "cert_requested"};
  return {tls_handshake_failed, alert.empty() ? how_closed(e) : std::move(alert)};
}

/// The proxy's answer to CONNECT. Its 5xx mean that it does not reach the upstream, its other
/// refusals that it does not want to: nothing was sent.
Classified tunnel_refused(int status) {
  std::string detail = "connect_" + std::to_string(status);
  if (status == 429) return {rate_limited, std::move(detail)};
  if (status >= 500 && status <= 599) return {http_gateway_error, std::move(detail)};
  return {config_invalid, std::move(detail)};
}

Classified timed_out(const HttpEvidence& e) {
  if (e.tunnelled && !e.tunnel_open) return {response_timeout, "connect"};
  if (e.tls && !e.handshake_done) return {tls_timeout, ""};
  if (e.header_complete) return {body_timeout, ""};
  if (e.tcp.blackholed()) return {request_unacked, "unacked"};
  return {response_timeout, e.status != 0 ? "partial_headers" : ""};
}

/// Ended before a complete header block, by FIN or RST.
Classified no_headers(const HttpEvidence& e, ErrorClass error) {
  if (e.tls && about_client_certificate(e)) return {tls_client_cert_required, alert_token(e)};
  if (!e.client_cert_requested || e.status != 0) return {error, how_closed(e)};
  if (!e.client_cert_offered) return {tls_client_cert_required, "cert_requested,closed"};
  // With TLS 1.3 a server that does not take it, and does not say so, looks like one that crashes.
  const std::string how = how_closed(e);
  return {error, how + (how.empty() ? "" : ",") + "cert_requested"};
}

Classified receive_error(const HttpEvidence& e) {
  if (contains(e.error_text, "chunk")) return {invalid_response, "chunk"};
  if (contains(e.error_text, "Too large response headers") ||
      contains(e.error_text, "CONNECT response too large") ||
      contains(e.error_text, "Too many response headers")) {
    return {headers_too_large, ""};
  }
  std::string alert = e.tls ? alert_token(e) : "";
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

/// "h2_2" of libcurl's "HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)".
std::string http2_code(std::string_view text) {
  constexpr std::string_view kMark = "(err ";
  const std::size_t at = text.find(kMark);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + kMark.size());
  unsigned code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  return error == std::errc() && end != text.data() + text.size() && *end == ')'
             ? "h2_" + std::to_string(code)
             : "";
}

/// Of "11, last_stream=1"; a GOAWAY without an error is no failure.
std::optional<int> goaway_code(std::string_view text) {
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code > 0 ? std::optional(code) : std::nullopt;
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
      // Also said of the peer's alert that ours has expired.
      if (e.peer_alert != 0) return handshake(e);
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
      return {http2_error, http2_code(e.error_text)};
    case CURLE_FILESIZE_EXCEEDED:
      return {content_mismatch, "too_large"};
    default:
      return {unknown, "curl_" + std::to_string(e.code)};
  }
}

/// How a transfer ended by itself.
Classified by_code(const HttpEvidence& e) {
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
      if (e.asked_version == HttpVersion::v2_prior && e.tcp.bytes_received > 1)
        return {protocol_mismatch, "not_http2"};
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

/// Between us and a proxy that has not opened the tunnel yet: no TLS has begun.
Classified before_tunnel(const HttpEvidence& e) {
  if (e.tunnel_garbage) return {protocol_mismatch, "not_http"};
  const bool cut_off = e.tunnel_status >= 200 && e.tunnel_status <= 299;
  if (e.tunnel_status != 0 && !cut_off) return tunnel_refused(e.tunnel_status);
  HttpEvidence plain = e;
  plain.tls = false;
  plain.request_sent = true;
  return by_code(plain);
}

}  // namespace

std::optional<int> stream_error_of(std::string_view debug_line) {
  constexpr int kRefusedStream = 7;
  constexpr int kHttp11Required = 13;
  if (debug_line.starts_with("REFUSED_STREAM, retrying")) return kRefusedStream;
  // A misspelling of libcurl's before 8.
  for (const std::string_view mark : {"recveived GOAWAY, error=", "received GOAWAY, error="}) {
    if (debug_line.starts_with(mark)) return goaway_code(debug_line.substr(mark.size()));
  }
  if (debug_line.starts_with("Downgrades to HTTP/1.1")) return kHttp11Required;
  return std::nullopt;
}

ProxyPart proxy_part(const HttpEvidence& e) {
  const std::string tunnel = std::to_string(e.tunnel_status);
  if (!e.proxied) return {};
  if (e.tunnelled && e.tunnel_open) return {};
  if ((e.tunnelled ? e.tunnel_status : e.status) == 407 || e.tunnel_status == 401) {
    return {true, "the proxy wants other credentials: see http.proxy_basic_auth"};
  }
  if (!e.tunnelled) {
    if (e.status < 500 && e.status != 401) return {};
    return {false, "the status may be the proxy's own: it came through http.proxy_url"};
  }
  if (e.timed_out) {
    return {false,
            "the proxy did not answer CONNECT: it hangs, or the upstream does not answer it"};
  }
  if (e.tunnel_garbage) return {true, "what http.proxy_url names does not speak HTTP"};
  if (e.tunnel_status < 300) {
    return {true, "the proxy did not answer CONNECT, or not to its end"};
  }
  if (e.tunnel_status >= 500) {
    return {false, "the proxy does not reach the upstream: it answered CONNECT with " + tunnel};
  }
  return {true, "the proxy does not let this target through: it answered CONNECT with " + tunnel};
}

Classified classify_transfer(const HttpEvidence& e) {
  if (e.timed_out) return timed_out(e);
  if (e.tunnelled && !e.tunnel_open) return before_tunnel(e);
  if (e.stream_error >= 0 && e.code != CURLE_OK) {
    return {http2_error, "h2_" + std::to_string(e.stream_error)};
  }
  return by_code(e);
}

Classified classify_status(int status, bool accepted, std::string_view body_start) {
  if (status == 400 && contains_any(body_start, kHttpToTls)) {
    return {protocol_mismatch, "http_to_tls"};
  }
  if (accepted) return {};
  std::string detail = "status_" + std::to_string(status);
  if (status == 400 && contains_any(body_start, kNoClientCertificate)) {
    return {tls_client_cert_required, std::move(detail)};
  }
  if (status == 403 && contains(body_start, kHttp2Alone)) {
    return {protocol_mismatch, std::move(detail)};
  }
  if (status == 429) return {rate_limited, std::move(detail)};
  if (status == 503) return {http_503, std::move(detail)};
  if (status == 502 || status == 504) return {http_gateway_error, std::move(detail)};
  if (status >= 500 && status <= 599) return {http_5xx, std::move(detail)};
  if (status >= 400 && status <= 499) return {http_4xx, std::move(detail)};
  return {content_mismatch, std::move(detail)};
}

}  // namespace ua
