// SPDX-License-Identifier: Apache-2.0
#include "agent/web_endpoint.h"

#include <utility>

#include "agent/logging.h"

namespace ua {

WebEndpoint::WebEndpoint(Loop& loop, AgentMetrics& metrics)
    : loop_(loop), metrics_(metrics), certificate_watch_(loop, on_certificate()) {}

Result<void> WebEndpoint::start(const WebConfig& config, ConnectionLimits limits,
                                WebHandlers handlers) {
  auto server =
      WebServer::start(config, limits, std::move(handlers), [this] { return loop_.now(); });
  if (!server) return tl::unexpected(server.error());
  server_ = std::move(*server);
  return {};
}

void WebEndpoint::use(const WebConfig& config) {
  server_->use_users(config.users);
  use_certificate(config.credentials);
  certificate_watch_.follow(config.credentials);
}

CertificateWatch::Callbacks WebEndpoint::on_certificate() {
  CertificateWatch::Callbacks result;
  result.renewed = [this](const std::shared_ptr<const TlsCredentials>& credentials) {
    use_certificate(credentials);
  };
  result.broken = [this](const std::string& mistake) {
    metrics_.set_web_certificate_loaded(false);
    log_error("the new certificate of the endpoints cannot be used; the old one serves on",
              {{"error", mistake}});
  };
  result.mended = [this] {
    metrics_.set_web_certificate_loaded(true);
    log_event("the files of the endpoints' certificate are again those in use");
  };
  return result;
}

void WebEndpoint::use_certificate(const std::shared_ptr<const TlsCredentials>& credentials) {
  server_->use_credentials(credentials);
  metrics_.set_web_certificate(credentials != nullptr ? std::optional(credentials->not_after())
                                                      : std::nullopt);
  const std::string fingerprint = credentials != nullptr ? credentials->fingerprint() : "";
  if (fingerprint == std::exchange(certificate_, fingerprint)) return;
  if (fingerprint.empty()) {
    log_event("the endpoints serve without TLS from here on");
  } else {
    log_event("the certificate of the endpoints is in use", {{"fingerprint_sha256", fingerprint}});
  }
}

}  // namespace ua
