// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/tls_witness.h"

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>
#include <utility>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxName = 200;
constexpr long kClockSkew = 300;  // seconds between a responder's clock and this host's

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

/// The library whose headers this is built with: what its callbacks are handed fits no other.
bool is_openssl() {
  const std::string_view library = curl_version_info(CURLVERSION_NOW)->ssl_version;
  return library.starts_with("OpenSSL/" + std::to_string(OPENSSL_VERSION_MAJOR) + '.');
}

bool has_name(X509* certificate, const std::string& name) {
  if (X509_check_ip_asc(certificate, name.c_str(), 0) == 1) return true;
  return X509_check_host(certificate, name.c_str(), name.size(), 0, nullptr) == 1;
}

std::string subject_of(X509* certificate) {
  char* text = X509_NAME_oneline(X509_get_subject_name(certificate), nullptr, 0);
  const std::unique_ptr<char, Free<[](char* p) { OPENSSL_free(p); }>> owned(text);
  return text == nullptr ? "" : escape_line(text, kMaxName);
}

using BasicResponse = std::unique_ptr<OCSP_BASICRESP, Free<OCSP_BASICRESP_free>>;

BasicResponse basic_response(const unsigned char* der, long size) {
  const std::unique_ptr<OCSP_RESPONSE, Free<OCSP_RESPONSE_free>> response(
      d2i_OCSP_RESPONSE(nullptr, &der, size));
  if (response == nullptr) return nullptr;
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return nullptr;
  return BasicResponse(OCSP_response_get1_basic(response.get()));
}

/// What a response says of the leaf (RFC 6960 section 4.2).
std::string_view status_in(OCSP_BASICRESP* basic, X509* leaf, X509* issuer) {
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256()}) {
    const std::unique_ptr<OCSP_CERTID, Free<OCSP_CERTID_free>> id(
        OCSP_cert_to_id(digest, leaf, issuer));
    int status = V_OCSP_CERTSTATUS_UNKNOWN;
    ASN1_GENERALIZEDTIME* begin = nullptr;
    ASN1_GENERALIZEDTIME* end = nullptr;
    if (id == nullptr ||
        OCSP_resp_find_status(basic, id.get(), &status, nullptr, nullptr, &begin, &end) != 1) {
      continue;
    }
    if (OCSP_check_validity(begin, end, kClockSkew, -1) != 1) return "expired";
    if (status == V_OCSP_CERTSTATUS_GOOD) return "good";
    return status == V_OCSP_CERTSTATUS_REVOKED ? "revoked" : "unknown";
  }
  return "unknown";
}

std::string_view stapled(SSL* ssl) {
  const unsigned char* der = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
  if (size <= 0 || der == nullptr) return "absent";
  const BasicResponse basic = basic_response(der, size);
  if (basic == nullptr) return "invalid";
  STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  if (sk_X509_num(chain) < 2) chain = SSL_get_peer_cert_chain(ssl);
  if (sk_X509_num(chain) < 2) return "unknown";  // nobody to have signed it
  X509_STORE* roots = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  if (OCSP_basic_verify(basic.get(), chain, roots, 0) != 1) return "invalid";
  return status_in(basic.get(), sk_X509_value(chain, 0), sk_X509_value(chain, 1));
}

}  // namespace

void TlsWitness::attach(CURL* handle, std::string name, bool lenient) {
  static const bool kUsable = is_openssl();
  if (!kUsable) return;
  name_ = std::move(name);
  lenient_ = lenient;
  curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, &TlsWitness::on_context);
  curl_easy_setopt(handle, CURLOPT_SSL_CTX_DATA, this);
  if (lenient) curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);  // else it loads no roots
}

CURLcode TlsWitness::on_context(CURL* /*handle*/, void* context, void* self) noexcept {
  auto* ssl_context = static_cast<SSL_CTX*>(context);
  SSL_CTX_set_cert_verify_callback(ssl_context, &TlsWitness::on_verify, self);
  SSL_CTX_set_tlsext_status_type(ssl_context, TLSEXT_STATUSTYPE_ocsp);
  SSL_CTX_set_tlsext_status_cb(ssl_context, &TlsWitness::on_status);
  SSL_CTX_set_tlsext_status_arg(ssl_context, self);
  return CURLE_OK;
}

int TlsWitness::on_verify(X509_STORE_CTX* store, void* self) noexcept {
  auto& witness = *static_cast<TlsWitness*>(self);
  const int verdict = X509_verify_cert(store);
  witness.seen_ = true;
  witness.code_ = X509_STORE_CTX_get_error(store);
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (verdict == 1) {
    const bool named = witness.name_.empty() || has_name(leaf, witness.name_);
    witness.code_ = named ? X509_V_OK : X509_V_ERR_HOSTNAME_MISMATCH;
  } else if (X509* current = X509_STORE_CTX_get_current_cert(store);
             current != nullptr && X509_STORE_CTX_get_error_depth(store) > 0) {
    witness.at_fault_ = subject_of(current);
  }
  if (!witness.lenient_) return verdict;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

int TlsWitness::on_status(SSL* ssl, void* self) noexcept {
  static_cast<TlsWitness*>(self)->ocsp_ = stapled(ssl);
  return 1;  // the handshake goes on
}

void TlsWitness::fill(TlsFacts& facts) const {
  facts.ocsp = ocsp_;
  if (!seen_) return;
  if (lenient_) {
    facts.verified = code_ == X509_V_OK;
    facts.verify_error = facts.verified ? "" : X509_verify_cert_error_string(code_);
  }
  if (facts.verified) {
    facts.verify_code = X509_V_OK;
    return;
  }
  facts.verify_code = code_ == X509_V_OK ? X509_V_ERR_HOSTNAME_MISMATCH : code_;
  if (!at_fault_.empty() && !facts.verify_error.empty()) {
    facts.verify_error += "; it is the certificate of " + at_fault_;
  }
}

}  // namespace ua
