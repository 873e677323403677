// SPDX-License-Identifier: Apache-2.0
// From what an HTTP transfer showed to exactly one error class: the ordered decision list, pure.
// The rows about connecting stand in dial.cpp, since we connect ourselves (but to Unix sockets).
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "collectors/probes/dial.h"
#include "collectors/probes/socket_evidence.h"

namespace ua {

struct HttpEvidence {
  CURLcode code = CURLE_OK;
  bool timed_out = false;  ///< our deadline ended it; `code` then means nothing
  bool tls = false;
  bool unix_socket = false;
  int connect_errno = 0;        ///< of libcurl's own connect to a Unix socket; 0 also for EAGAIN
  bool handshake_done = false;  ///< of TLS
  bool client_cert_requested = false;  ///< seen a CertificateRequest
  bool request_sent = false;
  bool header_complete = false;  ///< the empty line after the (final) header block arrived
  int status = 0;                ///< 0: no status line was understood
  bool http2_asked = false;
  long verify_result = 1;       ///< X509_V_*; 1 is libcurl's "not set"
  bool certificates = false;    ///< the peer's chain was recorded
  std::string_view error_text;  ///< libcurl's error buffer
  std::string_view body_start;
  TcpEvidence tcp;
};

/// How the transfer itself ended: `none` where a complete answer arrived, whatever its status.
Classified classify_transfer(const HttpEvidence& evidence);

/// What an accepted or unaccepted status means by itself; `none` where it is accepted.
Classified classify_status(int status, bool accepted, std::string_view body_start);

}  // namespace ua
