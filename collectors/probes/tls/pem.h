// SPDX-License-Identifier: Apache-2.0
// What a PEM file seems to hold (RFC 7468), for messages that say more than a TLS library does.
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace ua {

/// A whole block with something that decodes as base64 between its marks. What is in it, libcurl's
/// TLS library says.
bool has_pem_certificate(std::string_view text);

enum class PemKey : std::uint8_t { none, plain, encrypted };
/// Of the first private key.
PemKey pem_key_kind(std::string_view text);

}  // namespace ua
