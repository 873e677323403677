// SPDX-License-Identifier: Apache-2.0
// One TLS connection of a client: its handshake, and whether the client's certificate is what is
// asked for, which is decided before a byte of an answer. Owned by the connection; on the thread
// that serves it.
#pragma once

#include <gnutls/gnutls.h>

#include <functional>
#include <memory>

#include "agent/web/tls_credentials.h"

namespace ua {

class TlsChannel {
 public:
  /// @param session before its handshake; must not outlive this. Its user pointer is this from here
  /// on
  /// @param on_handshake once it is complete and the client is let in
  TlsChannel(gnutls_session_t session, std::shared_ptr<const TlsCredentials> credentials,
             std::function<void()> on_handshake);
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  const TlsCredentials& credentials() const { return *credentials_; }
  /// The handshake is complete, and the client has what it must have.
  bool is_open() const { return open_; }
  /// The client has a certificate of a known authority.
  bool is_verified() const { return verified_; }

 private:
  static int on_certificate(gnutls_session_t session) noexcept;
  static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                         const gnutls_datum_t* message) noexcept;
  bool judge(gnutls_session_t session);

  const std::shared_ptr<const TlsCredentials> credentials_;
  const std::function<void()> on_handshake_;
  bool judged_ = false;
  bool verified_ = false;
  bool open_ = false;
};

}  // namespace ua
