// SPDX-License-Identifier: Apache-2.0
// From what an HTTP transfer showed to exactly one error class: the ordered decision list, pure.
// The rows about connecting stand in dial.cpp, since we connect ourselves (but to Unix sockets).
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>
#include <string_view>

#include "collectors/probes/http/http_options.h"
#include "collectors/probes/net/dial.h"
#include "collectors/probes/net/socket_evidence.h"

namespace ua {

struct HttpEvidence {
  CURLcode code = CURLE_OK;
  bool timed_out = false;  ///< our deadline ended it; `code` then means nothing
  bool tls = false;
  bool unix_socket = false;
  int connect_errno = 0;        ///< of libcurl's own connect to a Unix socket; 0 also for EAGAIN
  bool handshake_done = false;  ///< of TLS
  bool client_cert_requested = false;  ///< seen a CertificateRequest
  bool client_cert_offered = false;    ///< we have one to answer it with
  int peer_alert = 0;                  ///< of TLS, that the peer sent; 0: none
  bool request_sent = false;
  bool header_complete = false;  ///< the empty line after the (final) header block arrived
  int status = 0;                ///< 0: no status line was understood
  bool proxied = false;          ///< the peer is a forward proxy
  bool tunnelled = false;        ///< by CONNECT: for TLS
  bool tunnel_open = false;
  bool tunnel_garbage = false;  ///< the answer to CONNECT was no HTTP
  int tunnel_status = 0;        ///< the proxy's answer to CONNECT; 0: none
  double version = 0;           ///< HttpFacts::version
  HttpVersion asked_version = HttpVersion::any;
  int stream_error = -1;        ///< of HTTP/2, where the debug text alone tells it; -1: none
  long verify_result = 1;       ///< X509_V_*; 1 is libcurl's "not set"
  bool certificates = false;    ///< the peer's chain was recorded
  std::string_view error_text;  ///< libcurl's error buffer
  std::string_view body_start;
  TcpEvidence tcp;
};

/// RFC 9113's code in a line of libcurl's debug text about a GOAWAY, or one that announces another
/// attempt. There is none: no second socket is to be had.
std::optional<int> stream_error_of(std::string_view debug_line);

/// What is said of a proxy's part in a failure, for people; empty: nothing.
struct ProxyPart {
  bool failed = false;  ///< the proxy itself, or what it is asked for by the configuration
  std::string message;
};
ProxyPart proxy_part(const HttpEvidence& evidence);

/// How the transfer itself ended: `none` where a complete answer arrived, whatever its status.
Classified classify_transfer(const HttpEvidence& evidence);

/// What an accepted or unaccepted status means by itself; `none` where it is accepted.
Classified classify_status(int status, bool accepted, std::string_view body_start);

}  // namespace ua
