// SPDX-License-Identifier: Apache-2.0
// A second handshake for the certificates alone, where libcurl dropped them with a chain that it
// does not trust: nothing is verified, and nothing is sent after the handshake. Owned by an
// HttpProbe; loop thread.
#pragma once

#include <functional>
#include <memory>

#include "collectors/core/outcome.h"
#include "collectors/probes/curl/curl_socket.h"
#include "collectors/probes/http/http_request.h"
#include "collectors/probes/net/dial.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/tls/client_identity.h"
#include "collectors/probes/tls/starttls_run.h"

namespace ua {

/// With whom the first handshake was, and how: the second one must come to the same server.
struct FirstHandshake {
  Target target;
  Endpoint peer;
  std::shared_ptr<const SocketOptions> options;  ///< Connection::options
  /// What it offered, perhaps without coming to it: with TLS 1.2 a server that demands one ends the
  /// handshake without. Null: none.
  std::shared_ptr<const ClientPem> identity;
  Starttls starttls = Starttls::none;  ///< what comes before it
};

class CertificateFetch {
 public:
  /// What was found; without a certificate where the handshake failed.
  using Done = std::function<void(const TlsFacts&)>;

  /// Starts at once; `done` is called once, never from inside. Destroying it gives it up.
  CertificateFetch(ProbeEngine& engine, std::shared_ptr<const HttpRequest> request,
                   const FirstHandshake& first, Done done);
  ~CertificateFetch();
  CertificateFetch(const CertificateFetch&) = delete;
  CertificateFetch& operator=(const CertificateFetch&) = delete;

 private:
  void on_connected(Connection connection);
  void shake_hands(UniqueFd fd);
  void on_finished();
  static int debug_callback(CURL* handle, curl_infotype type, char* data, std::size_t size,
                            void* self) noexcept;

  ProbeEngine& engine_;
  std::shared_ptr<const HttpRequest> request_;
  Target target_;
  std::shared_ptr<const ClientPem> identity_;
  Starttls starttls_;
  Done done_;
  Dial dial_;
  std::unique_ptr<StarttlsRun> dialogue_;
  std::function<void(CURLcode)> finished_;
  CurlSocket socket_;
  CURL* handle_ = nullptr;
  TlsFacts facts_;
};

/// The same, at most once an hour for the same verdict on the same peer: it costs the upstream a
/// connection. Owned by an HttpProbe; loop thread.
class CertificateLookup {
 public:
  /// `done` is called once, never from inside; the lookup may be destroyed in it.
  CertificateLookup(ProbeEngine& engine, const std::shared_ptr<const HttpRequest>& request,
                    const FirstHandshake& first, const Outcome& verdict,
                    CertificateFetch::Done done);

 private:
  void finish_later(const TlsFacts& facts);

  ProbeEngine& engine_;
  CertificateFetch::Done done_;
  std::unique_ptr<CertificateFetch> fetch_;
  Timer later_;
};

}  // namespace ua
