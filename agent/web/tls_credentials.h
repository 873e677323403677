// SPDX-License-Identifier: Apache-2.0
// What the endpoints show of themselves over TLS, and what they ask of a client. Immutable; made
// where a file may be waited for, shared by all connections that began with it; any thread.
#pragma once

#include <gnutls/gnutls.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "agent/config/config.h"

namespace ua {

class TlsCredentials {
 public:
  struct Mistake {
    std::string key;      ///< of the configuration: "key_file"
    std::string message;  ///< names the file, and nothing of its content
  };
  /// Reads the files. They fit together or it is a mistake.
  static tl::expected<std::shared_ptr<const TlsCredentials>, Mistake> load(
      const TlsServerConfig& config);

  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;
  ~TlsCredentials();

  const TlsServerConfig& config() const { return config_; }
  /// When the certificate itself, not one above it, expires.
  std::chrono::sys_seconds not_after() const { return not_after_; }
  /// SHA-256, to tell two apart.
  const std::string& fingerprint() const { return fingerprint_; }

  /// Whether another file, or another content, stands in the place of one that was read. Asks the
  /// file system.
  bool is_outdated() const;

  /// Whether who was let in by these may stay under `later`: it asks the same of a client.
  bool asks_the_same(const TlsCredentials& later) const;

  /// Of a session before its handshake, which must not outlive this.
  bool apply(gnutls_session_t session) const;

 private:
  /// What changes with a file's content: its inode, its size, its times.
  struct Stamp {
    std::array<std::uint64_t, 7> values{};
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;

  explicit TlsCredentials(TlsServerConfig config);
  static Stamps stamps_of(const TlsServerConfig& config);
  std::optional<Mistake> read();
  std::optional<Mistake> take_certificate(const std::string& pem);
  std::optional<Mistake> take_key(const std::string& certificate, std::string key);
  std::optional<Mistake> take_authorities();

  const TlsServerConfig config_;
  const Stamps stamps_;
  std::chrono::sys_seconds not_after_{};
  std::string fingerprint_;
  std::string authorities_;  // PEM, as read
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_priority_t priority_ = nullptr;
};

}  // namespace ua
