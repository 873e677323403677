// SPDX-License-Identifier: Apache-2.0
// The agent's own certificate for mutual TLS, as it stands in its files now. Shared by the probes
// of an upstream; loop thread. The files are read on a worker.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/core/fresh_read.h"
#include "collectors/core/result.h"

namespace ua {

/// PEM texts, the chain after the certificate.
struct ClientPem {
  std::string certificate;
  std::string key;
};

/// A private key's file is a secret's: its mode is checked, and no message holds any of it.
Result<std::string> read_client_certificate(const std::string& file);
Result<std::string> read_client_key(const std::string& file);

/// `pem` must outlive the transfer.
void set_client_pem(CURL* handle, const ClientPem& pem);

/// What libcurl's TLS library says against the pair; empty: nothing. Talks to nobody but itself.
/// Any thread.
std::string pair_mistake(const ClientPem& pem);

/// For people: the two files do not go together, and what libcurl says about it.
std::string not_a_pair(std::string_view libcurl_says);

class ClientIdentity {
 public:
  using Pem = Result<std::shared_ptr<const ClientPem>>;
  using Then = std::function<void(const Pem&)>;

  ClientIdentity(std::string cert_file, std::string key_file, ClientPem first)
      : cert_file_(std::move(cert_file)),
        key_file_(std::move(key_file)),
        pem_(std::make_shared<const ClientPem>(std::move(first))) {}

  const std::string& cert_file() const { return cert_file_; }
  const std::string& key_file() const { return key_file_; }

  /// Calls `then` with what the files hold (looked at once a second), perhaps from inside. While
  /// that takes longer, with what they held before.
  void read(Worker& worker, Time now, const Then& then);

 private:
  std::string cert_file_;
  std::string key_file_;
  FreshRead<Pem> pem_;
};

}  // namespace ua
