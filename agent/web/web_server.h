// SPDX-License-Identifier: Apache-2.0
// The HTTP endpoints, on threads of their own: serving never waits for probing, nor probing for
// serving. Owned by the Agent.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/config.h"
#include "agent/web/connections.h"
#include "collectors/core/result.h"

namespace ua {

struct WebReply {
  unsigned code = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
};

/// What the pages show and do. Called on the server's threads. What one throws becomes a 500.
struct WebHandlers {
  std::function<WebReply(std::string_view accept, std::string_view accept_encoding)> metrics;
  std::function<WebReply(std::string_view accept_encoding)> status_page;
  std::function<bool()> ready;
  /// Begins a reload and returns; `done` is called once, on any thread, also after the server's
  /// end, with what there is to say besides that it is done: whole lines, or nothing.
  using ReloadDone = std::function<void(const Result<std::string>&)>;
  std::function<void(ReloadDone done)> reload;
  /// @param handler of a closed set: "/metrics", "/", "/-/healthy", "/-/ready", "/-/reload",
  /// "other"
  std::function<void(std::string_view handler, unsigned code)> count;
};

class WebServer {
 public:
  /// Listens and serves at once.
  /// @param max_connections over all listen addresses
  /// @param now may be called on any thread
  static Result<std::unique_ptr<WebServer>> start(const WebConfig& config, unsigned max_connections,
                                                  WebHandlers handlers, std::function<Time()> now,
                                                  WebDeadlines deadlines = {});
  /// Ends what is open; waits for no client.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

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
