// SPDX-License-Identifier: Apache-2.0
// The HTTP endpoints, on threads of their own: serving never waits for probing, nor probing for
// serving. Owned by the Agent.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/exposition/format.h"
#include "agent/web/connections.h"
#include "agent/web/replies.h"
#include "collectors/core/result.h"

namespace ua {

/// What the pages show and do. Called on the server's threads. What one throws becomes a 500. All
/// but the configuration and what is of one upstream may be handed to several who ask at the same
/// moment.
struct WebHandlers {
  std::function<WebReply(ExpositionFormat format)> metrics;
  std::function<WebReply()> status_page;
  std::function<WebReply()> config;
  /// @param name of the one that is asked for; absent: all of them
  std::function<WebReply(const std::optional<std::string>& name)> upstreams;
  std::function<bool()> ready;
  /// Begins a reload and returns; `done` is called once, on any thread, also after the server's
  /// end, with what there is to say besides that it is done: whole lines, or nothing.
  using ReloadDone = std::function<void(const Result<std::string>&)>;
  std::function<void(ReloadDone done)> reload;
  /// @param handler of a closed set: the paths of the router, and "other"
  std::function<void(std::string_view handler, unsigned code)> count;
};

class WebServer {
 public:
  /// Listens and serves at once.
  /// @param limits over all listen addresses
  /// @param now may be called on any thread
  static Result<std::unique_ptr<WebServer>> start(const WebConfig& config, ConnectionLimits limits,
                                                  WebHandlers handlers, std::function<Time()> now,
                                                  WebDeadlines deadlines = {});
  /// Ends what is open; waits for no client.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// Who may ask from here on, for everything: these users, or everybody where there are none. Any
  /// thread.
  void use_users(const std::vector<WebUser>& users);

  /// What the clients of network addresses must do from here on: TLS with these, or plain HTTP
  /// where null. A connection goes on with what it began with, unless less was asked of it. Any
  /// thread.
  void use_credentials(std::shared_ptr<const TlsCredentials> credentials);

  /// Whether a request waits for a page that is not getting done.
  bool hangs() const;

  /// Where it listens, with the ports really in use: "[::]:10917".
  const std::vector<std::string>& addresses() const;

 private:
  struct Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ua
