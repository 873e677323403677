// SPDX-License-Identifier: Apache-2.0
// What a TLS handshake told, out of libcurl's records (CURLINFO_CERTINFO, debug text). Pure but for
// reading the handle.
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>
#include <string_view>

#include "collectors/core/outcome.h"

namespace ua {

/// Takes the leaf and the chain's earliest end out of a handle that has CURLOPT_CERTINFO set;
/// leaves `facts` alone where the handle has no certificate.
void read_certificates(CURL* handle, TlsFacts& facts);

/// "Nov 25 04:00:00 2026 GMT" as OpenSSL prints it; nullopt for anything else.
std::optional<WallTime> parse_certificate_time(std::string_view text);

/// Picks protocol and cipher out of one line of libcurl's debug text.
/// @return whether the line reports that the server asked for a client certificate
bool read_debug_line(std::string_view line, TlsFacts& facts);

/// SHA-256 of the certificate's DER form, 64 hex digits; empty where `pem` holds none.
std::string fingerprint_of_pem(std::string_view pem);

}  // namespace ua
