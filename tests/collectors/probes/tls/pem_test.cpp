// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/pem.h"

#include <string>

#include "tests/catch.h"

namespace ua {
namespace {

std::string block(const std::string& label, const std::string& content) {
  return "-----BEGIN " + label + "-----\n" + content + "-----END " + label + "-----\n";
}

TEST_CASE("which private key a PEM file holds") {
  CHECK(pem_key_kind(block("PRIVATE KEY", "MIGH\n")) == PemKey::plain);
  CHECK(pem_key_kind(block("EC PRIVATE KEY", "MIGH\n")) == PemKey::plain);
  CHECK(pem_key_kind(block("RSA PRIVATE KEY", "MIGH\n")) == PemKey::plain);
  CHECK(pem_key_kind("-----BEGIN PRIVATE KEY-----\r\nMI\r\n-----END PRIVATE KEY-----\r\n") ==
        PemKey::plain);
  CHECK(pem_key_kind(block("ENCRYPTED PRIVATE KEY", "MIGH\n")) == PemKey::encrypted);
  CHECK(pem_key_kind(block("RSA PRIVATE KEY",
                           "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIGH\n")) ==
        PemKey::encrypted);
  // The first one counts; certificates and parameters may stand before it.
  CHECK(pem_key_kind(block("CERTIFICATE", "MIIB\n") + block("EC PARAMETERS", "Bggq\n") +
                     block("EC PRIVATE KEY", "MIGH\n") +
                     block("ENCRYPTED PRIVATE KEY", "MIGH\n")) == PemKey::plain);
  CHECK(pem_key_kind("") == PemKey::none);
  CHECK(pem_key_kind(block("CERTIFICATE", "MIIB\n")) == PemKey::none);
  CHECK(pem_key_kind(block("PUBLIC KEY", "MIIB\n")) == PemKey::none);
  CHECK(pem_key_kind("-----BEGIN PRIVATE KEY-----\nMIGH\n") == PemKey::none);
}

TEST_CASE("a certificate is a whole block of base64") {
  CHECK(has_pem_certificate(block("CERTIFICATE", "MIIB+/=\n")));
  CHECK_FALSE(has_pem_certificate(block("CERTIFICATE", "\n")));
  CHECK_FALSE(has_pem_certificate(block("CERTIFICATE", "MIIB!\n")));
  CHECK_FALSE(has_pem_certificate("-----BEGIN CERTIFICATE-----\nMIIB\n"));
  CHECK_FALSE(has_pem_certificate(block("PRIVATE KEY", "MIIB\n")));
}

}  // namespace
}  // namespace ua
