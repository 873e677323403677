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

/// Takes one entry of libcurl's record, "Subject:CN = a.example"; passes over what it does not
/// know.
void read_certificate_field(std::string_view entry, Certificate& certificate);

/// "Nov 25 04:00:00 2026 GMT" as OpenSSL prints it; nullopt for anything else. A year after 2261 is
/// the end of the type, one before 1950 is its beginning.
std::optional<WallTime> parse_certificate_time(std::string_view text);

/// Picks protocol and cipher out of one line of libcurl's debug text.
/// @return whether the line reports that the server asked for a client certificate
bool read_debug_line(std::string_view line, TlsFacts& facts);

/// The alert (RFC 8446 section 6) that one line of libcurl's debug text says has come in, as
/// "TLSv1.3 (IN), TLS alert, certificate required (628):"; nullopt: none, or the one that ends.
std::optional<int> received_alert(std::string_view line);

/// SHA-256 of the certificate's DER form, 64 hex digits; empty where `pem` holds none.
std::string fingerprint_of_pem(std::string_view pem);

}  // namespace ua
