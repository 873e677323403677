// SPDX-License-Identifier: Apache-2.0
#include "agent/web/tls_credentials.h"

#include <gnutls/x509.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20U;

/// Forward secrecy and authenticated encryption alone; the two versions that have both.
constexpr const char* kPriority =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"
    "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"
    "+GROUP-SECP384R1:%SERVER_PRECEDENCE";
constexpr const char* kPriorityTls13 =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE";

/// GnuTLS does not write through it.
gnutls_datum_t datum(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

std::string shown(const std::filesystem::path& path) { return escape_line(path.string()); }

/// The certificates of a file, freed at the end.
class Chain {
 public:
  explicit Chain(const std::string& pem) {
    const gnutls_datum_t data = datum(pem);
    error_ = gnutls_x509_crt_list_import2(&list_, &size_, &data, GNUTLS_X509_FMT_PEM, 0);
  }
  ~Chain() {
    if (error_ < 0) return;
    for (unsigned i = 0; i < size_; ++i) gnutls_x509_crt_deinit(list_[i]);
    gnutls_free(list_);
  }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  gnutls_x509_crt_t first() const { return error_ >= 0 && size_ > 0 ? list_[0] : nullptr; }

 private:
  gnutls_x509_crt_t* list_ = nullptr;
  unsigned size_ = 0;
  int error_ = 0;
};

std::string fingerprint_of(gnutls_x509_crt_t certificate) {
  std::array<unsigned char, 32> digest{};
  std::size_t size = digest.size();
  if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest.data(), &size) != 0) {
    return "";
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const unsigned char byte : digest) {
    result += kDigits[byte >> 4U];
    result += kDigits[byte & 15U];
  }
  return result;
}

}  // namespace

TlsCredentials::TlsCredentials(TlsServerConfig config)
    : config_(std::move(config)), stamps_(stamps_of(config_)) {}

TlsCredentials::~TlsCredentials() {
  if (credentials_ != nullptr) gnutls_certificate_free_credentials(credentials_);
  if (priority_ != nullptr) gnutls_priority_deinit(priority_);
}

tl::expected<std::shared_ptr<const TlsCredentials>, TlsCredentials::Mistake> TlsCredentials::load(
    const TlsServerConfig& config) {
  const std::shared_ptr<TlsCredentials> result(new TlsCredentials(config));
  if (auto mistake = result->read()) return tl::unexpected(std::move(*mistake));
  return result;
}

std::optional<TlsCredentials::Mistake> TlsCredentials::read() {
  const Result<std::string> certificate = read_regular_file(config_.cert_file, kMaxFile);
  if (!certificate) return Mistake{"cert_file", escape_line(certificate.error().message)};
  Result<std::string> key = read_private_file(config_.key_file, kMaxFile);
  if (!key) return Mistake{"key_file", escape_line(key.error().message)};
  if (gnutls_certificate_allocate_credentials(&credentials_) != 0) {
    return Mistake{"cert_file", "no memory"};
  }
  const char* const wanted = config_.only_tls13 ? kPriorityTls13 : kPriority;
  if (const int error = gnutls_priority_init(&priority_, wanted, nullptr); error != 0) {
    return Mistake{"min_version", std::string("GnuTLS refuses it: ") + gnutls_strerror(error)};
  }
  if (auto mistake = take_certificate(*certificate)) return mistake;
  if (auto mistake = take_key(*certificate, std::move(*key))) return mistake;
  return take_authorities();
}

std::optional<TlsCredentials::Mistake> TlsCredentials::take_certificate(const std::string& pem) {
  const Chain chain(pem);
  if (chain.first() == nullptr) {
    return Mistake{"cert_file", shown(config_.cert_file) + " holds no whole PEM certificate"};
  }
  not_after_ = std::chrono::sys_seconds(
      std::chrono::seconds(gnutls_x509_crt_get_expiration_time(chain.first())));
  fingerprint_ = fingerprint_of(chain.first());
  return std::nullopt;
}

std::optional<TlsCredentials::Mistake> TlsCredentials::take_key(const std::string& certificate,
                                                                std::string key) {
  const gnutls_datum_t certificate_data = datum(certificate);
  const gnutls_datum_t key_data = datum(key);
  const int error = gnutls_certificate_set_x509_key_mem2(credentials_, &certificate_data, &key_data,
                                                         GNUTLS_X509_FMT_PEM, nullptr, 0);
  explicit_bzero(key.data(), key.size());
  if (error >= 0) return std::nullopt;
  const std::string file = shown(config_.key_file);
  if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
    return Mistake{"key_file",
                   file + " is not the key of the certificate in " + shown(config_.cert_file)};
  }
  if (error == GNUTLS_E_DECRYPTION_FAILED) {
    return Mistake{"key_file", file + " is encrypted; the agent needs one without a passphrase"};
  }
  return Mistake{"key_file", file + " holds no whole PEM key"};
}

std::optional<TlsCredentials::Mistake> TlsCredentials::take_authorities() {
  if (config_.client_ca_file.empty()) return std::nullopt;
  Result<std::string> pem = read_regular_file(config_.client_ca_file, kMaxFile);
  if (!pem) return Mistake{"client_ca_file", escape_line(pem.error().message)};
  authorities_ = std::move(*pem);
  const gnutls_datum_t data = datum(authorities_);
  if (gnutls_certificate_set_x509_trust_mem(credentials_, &data, GNUTLS_X509_FMT_PEM) > 0) {
    return std::nullopt;
  }
  return Mistake{"client_ca_file",
                 shown(config_.client_ca_file) + " holds no whole PEM certificate"};
}

TlsCredentials::Stamps TlsCredentials::stamps_of(const TlsServerConfig& config) {
  Stamps result;
  const std::array<const std::filesystem::path*, 3> files{&config.cert_file, &config.key_file,
                                                          &config.client_ca_file};
  for (std::size_t i = 0; i < files.size(); ++i) {
    struct stat status {};
    if (files[i]->empty() || ::stat(files[i]->c_str(), &status) != 0) continue;
    const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
    result[i].values = {number(status.st_dev),          number(status.st_ino),
                        number(status.st_size),         number(status.st_mtim.tv_sec),
                        number(status.st_mtim.tv_nsec), number(status.st_ctim.tv_sec),
                        number(status.st_ctim.tv_nsec)};
  }
  return result;
}

bool TlsCredentials::is_outdated() const { return stamps_of(config_) != stamps_; }

bool TlsCredentials::asks_the_same(const TlsCredentials& later) const {
  if (this == &later) return true;
  return config_.client_auth == later.config_.client_auth &&
         config_.only_tls13 == later.config_.only_tls13 && authorities_ == later.authorities_;
}

bool TlsCredentials::apply(gnutls_session_t session) const {
  if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_) != 0) return false;
  if (gnutls_priority_set(session, priority_) != 0) return false;
  const bool asks = config_.client_auth != ClientAuth::none;
  gnutls_certificate_server_set_request(session, asks ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
  return true;
}

}  // namespace ua
