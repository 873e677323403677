// SPDX-License-Identifier: Apache-2.0
// What there must be before a TLS handshake begins: a place in the gate, the client's certificate,
// the root certificates. Owned by a probe; loop thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "collectors/core/result.h"
#include "collectors/probes/curl/curl_pool.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/tls/client_identity.h"
#include "collectors/probes/tls/handshake_gate.h"
#include "collectors/probes/tls/tls_options.h"

namespace ua {

class ProbeEngine;

class TlsEntry {
 public:
  struct Ready {
    std::shared_ptr<CurlMulti> curl;            ///< with the roots to trust, if any
    std::shared_ptr<const ClientPem> identity;  ///< null: none
    bool has_roots = false;                     ///< of `curl`
  };
  /// What is there, or this host's own trouble as the probe's result. Perhaps from inside.
  using Done = std::function<void(tl::expected<Ready, ProbeResult>)>;

  explicit TlsEntry(ProbeEngine& engine) : engine_(engine) {}
  TlsEntry(const TlsEntry&) = delete;
  TlsEntry& operator=(const TlsEntry&) = delete;

  /// @param tls must outlive this
  /// @param identity to be shown, of `tls` or null
  void start(const TlsOptions& tls, ClientIdentity* identity, Done done);
  /// The costly part of the handshake is over: the next one may begin.
  void leave_gate() { ticket_.leave(); }
  /// What to say if time is up now; nullopt: this host does not keep the handshake waiting.
  std::optional<ProbeResult> trouble() const;

 private:
  enum class Waiting : std::uint8_t { nothing, in_line, identity, roots };

  void read_identity();
  void on_identity(const ClientIdentity::Pem& pem);
  void read_roots();
  void on_roots(const CurlPool::Trusting& curl);
  void end(tl::expected<Ready, ProbeResult> result);

  ProbeEngine& engine_;
  HandshakeGate::Ticket ticket_;
  const TlsOptions* tls_ = nullptr;
  ClientIdentity* source_ = nullptr;
  std::shared_ptr<const ClientPem> identity_;
  Done done_;
  Waiting waiting_ = Waiting::nothing;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what the workers hand back
};

}  // namespace ua
