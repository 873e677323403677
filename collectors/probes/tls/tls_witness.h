// SPDX-License-Identifier: Apache-2.0
// What libcurl does not tell of a handshake: how the chain verifies even where that is ignored,
// which certificate is at fault, and what OCSP answer was stapled. Asks OpenSSL, which libcurl is
// built with. Owned by a probe, outlives its handle; loop thread.
#pragma once

#include <curl/curl.h>

#include <string>

#include "collectors/core/outcome.h"

struct ssl_st;             // OpenSSL's SSL
struct x509_store_ctx_st;  // OpenSSL's X509_STORE_CTX

namespace ua {

class TlsWitness {
 public:
  TlsWitness() = default;
  TlsWitness(const TlsWitness&) = delete;
  TlsWitness& operator=(const TlsWitness&) = delete;

  /// Before the transfer. Nothing where libcurl has another TLS library.
  /// @param name that the certificate must have: a host's or an address
  /// @param lenient goes on whatever the verdict; the handle must have roots to verify by
  void attach(CURL* handle, std::string name, bool lenient);

  /// After the handshake, or where it failed. Says of a lenient one whether it is verified.
  void fill(TlsFacts& facts) const;

 private:
  static CURLcode on_context(CURL* handle, void* context, void* self) noexcept;
  static int on_verify(x509_store_ctx_st* store, void* self) noexcept;
  static int on_status(ssl_st* ssl, void* self) noexcept;

  std::string name_;
  bool lenient_ = false;
  bool seen_ = false;  // a chain
  int code_ = 0;       // X509_V_*
  std::string at_fault_;
  std::string ocsp_;
};

}  // namespace ua
