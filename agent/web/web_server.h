// SPDX-License-Identifier: Apache-2.0
// The HTTP endpoints, on libmicrohttpd's own threads: serving never waits for probing, nor probing
// for serving. Owned by the Agent.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "collectors/core/loop.h"
#include "collectors/core/result.h"

namespace ua {

struct WebReply {
  unsigned code = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
};

/// What the pages show and do. Called on the server's threads.
struct WebHandlers {
  std::function<WebReply(std::string_view accept, std::string_view accept_encoding)> metrics;
  std::function<WebReply()> status_page;
  std::function<bool()> ready;
  std::function<Result<void>()> reload;
  /// @param handler of a closed set: "/metrics", "/", "/-/healthy", "/-/ready", "/-/reload",
  /// "other"
  std::function<void(std::string_view handler, unsigned code)> count;
};

/// Totals, not idle times: whatever drips, an end comes.
struct WebDeadlines {
  Duration request = 5s;  ///< from connecting (or the reply before) to the request's last header
  Duration reply = 15s;   ///< from the request to the last byte of its reply
};

class WebServer {
 public:
  /// Listens and serves at once. `loop` keeps the deadlines.
  static Result<std::unique_ptr<WebServer>> start(Loop& loop, const WebConfig& config,
                                                  unsigned max_connections, WebHandlers handlers,
                                                  WebDeadlines deadlines = {});
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// Where it listens, with the ports really in use: "[::]:10917".
  const std::vector<std::string>& addresses() const;

 private:
  struct Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ua
