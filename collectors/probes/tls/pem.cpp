// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/pem.h"

#include "collectors/core/text.h"

namespace ua {

bool has_pem_certificate(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n \t";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return false;
  text.remove_prefix(begin + kBegin.size());
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return false;
  const std::string_view body = trim(text.substr(0, end));
  return body.starts_with("MI") && body.find_first_not_of(kBase64) == std::string_view::npos;
}

PemKey pem_key_kind(std::string_view text) {
  constexpr std::string_view kKey = "PRIVATE KEY-----";
  constexpr std::string_view kBegin = "-----BEGIN ";
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at + 1)) {
    const std::string_view label = text.substr(at, text.find('\n', at) - at);
    if (!trim(label).ends_with(kKey)) continue;
    const std::size_t end = text.find("-----END ", at);
    if (end == std::string_view::npos) return PemKey::none;
    // PKCS #8 says so in its label, the older forms in a header.
    const std::string_view block = text.substr(at, end - at);
    const bool encrypted = label.find("ENCRYPTED") != std::string_view::npos ||
                           block.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
    return encrypted ? PemKey::encrypted : PemKey::plain;
  }
  return PemKey::none;
}

}  // namespace ua
