// SPDX-License-Identifier: Apache-2.0
#include "agent/web/tls_channel.h"

#include <gnutls/x509.h>

#include <utility>

namespace ua {
namespace {

/// RFC 8446, section 6.2; GnuTLS 3.7 has no name for it in TLS 1.2, whose clients know none.
gnutls_alert_description_t missing(gnutls_session_t session) {
  return gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 ? GNUTLS_A_CERTIFICATE_REQUIRED
                                                               : GNUTLS_A_HANDSHAKE_FAILURE;
}

gnutls_alert_description_t alert_for(unsigned status) {
  if ((status & GNUTLS_CERT_EXPIRED) != 0) return GNUTLS_A_CERTIFICATE_EXPIRED;
  if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) return GNUTLS_A_UNKNOWN_CA;
  return GNUTLS_A_BAD_CERTIFICATE;
}

/// libmicrohttpd ends the connection without a word.
bool refuse(gnutls_session_t session, gnutls_alert_description_t why) {
  gnutls_alert_send(session, GNUTLS_AL_FATAL, why);
  return false;
}

/// That the peer is a client for whom the certificate was made.
unsigned verify(gnutls_session_t session) {
  std::string purpose = GNUTLS_KP_TLS_WWW_CLIENT;
  gnutls_typed_vdata_st data{};
  data.type = GNUTLS_DT_KEY_PURPOSE_OID;
  data.data = reinterpret_cast<unsigned char*>(purpose.data());
  unsigned status = 0;
  const int error = gnutls_certificate_verify_peers(session, &data, 1, &status);
  return error == 0 ? status : static_cast<unsigned>(GNUTLS_CERT_INVALID);
}

}  // namespace

TlsChannel::TlsChannel(gnutls_session_t session, std::shared_ptr<const TlsCredentials> credentials,
                       std::function<void()> on_handshake)
    : credentials_(std::move(credentials)), on_handshake_(std::move(on_handshake)) {
  gnutls_session_set_ptr(session, this);
  gnutls_session_set_verify_function(session, &TlsChannel::on_certificate);
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                     &TlsChannel::on_finished);
  judged_ = credentials_->config().client_auth == ClientAuth::none;  // and never called then
  if (!credentials_->apply(session)) judged_ = false;
}

/// Also called where the client has sent none.
int TlsChannel::on_certificate(gnutls_session_t session) noexcept {
  auto& channel = *static_cast<TlsChannel*>(gnutls_session_get_ptr(session));
  channel.judged_ = channel.judge(session);
  return channel.judged_ ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

bool TlsChannel::judge(gnutls_session_t session) {
  const ClientAuth wanted = credentials_->config().client_auth;
  unsigned count = 0;
  gnutls_certificate_get_peers(session, &count);
  if (count == 0) {
    const bool needed =
        wanted == ClientAuth::require_any || wanted == ClientAuth::require_and_verify;
    return !needed || refuse(session, missing(session));
  }
  if (wanted != ClientAuth::verify_if_given && wanted != ClientAuth::require_and_verify) {
    return true;
  }
  const unsigned status = verify(session);
  verified_ = status == 0;
  return verified_ || refuse(session, alert_for(status));
}

/// Of both sides; the client's comes after its certificate.
int TlsChannel::on_finished(gnutls_session_t session, unsigned /*type*/, unsigned /*when*/,
                            unsigned incoming, const gnutls_datum_t* /*message*/) noexcept {
  auto& channel = *static_cast<TlsChannel*>(gnutls_session_get_ptr(session));
  if (incoming == 0) return 0;
  if (!channel.judged_) return GNUTLS_E_CERTIFICATE_ERROR;
  if (!channel.open_) channel.on_handshake_();
  channel.open_ = true;
  return 0;
}

}  // namespace ua
