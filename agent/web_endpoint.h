// SPDX-License-Identifier: Apache-2.0
// The web server together with who may use it, as the configuration in use says; what becomes of
// its certificate is logged and measured. Owned by the Agent; on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "agent/metrics/agent_metrics.h"
#include "agent/web/certificate_watch.h"
#include "agent/web/web_server.h"
#include "collectors/core/loop.h"

namespace ua {

class WebEndpoint {
 public:
  WebEndpoint(Loop& loop, AgentMetrics& metrics);

  Result<void> start(const WebConfig& config, ConnectionLimits limits, WebHandlers handlers);
  /// After start(); again after each reload.
  void use(const WebConfig& config);

  const WebServer& server() const { return *server_; }

 private:
  CertificateWatch::Callbacks on_certificate();
  void use_certificate(const std::shared_ptr<const TlsCredentials>& credentials);

  Loop& loop_;
  AgentMetrics& metrics_;
  std::unique_ptr<WebServer> server_;
  std::string certificate_;  // fingerprint of the one in use; empty: none
  CertificateWatch certificate_watch_;
};

}  // namespace ua
