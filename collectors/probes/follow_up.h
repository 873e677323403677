// SPDX-License-Identifier: Apache-2.0
// A second look at a failing target, on connections of its own: does the port speak another
// protocol, or is it the server name that is turned away. Sends nothing of the configuration's but
// a PROXY line, changes no verdict and no counter. Owned by who asked; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/core/loop.h"
#include "collectors/core/outcome.h"
#include "collectors/probes/net/dial.h"
#include "collectors/probes/target.h"

namespace ua {

enum class Finding : std::uint8_t {
  nothing,
  speaks_tls,          ///< an http:// target
  speaks_plain_http,   ///< an https:// or tls:// target
  speaks_tls_at_once,  ///< a tls:// target with tcp.starttls
  rejects_server_name  ///< the same handshake succeeds without the name
};

/// For people; empty for `nothing`.
std::string_view sentence(Finding finding);

/// Whether a second look can tell more about this result.
bool calls_for_follow_up(const Target& target, const Outcome& outcome);

/// A TLS ClientHello that any server of TLS 1.0 to 1.3 answers (RFC 8446 section 4.1.2). Pure.
/// @param server_name SNI; none where it is empty
std::string client_hello(std::string_view server_name);

class FollowUp {
 public:
  using Done = std::function<void(Finding)>;
  static constexpr Duration kPatience = 2s;

  /// For a result that calls_for_follow_up(). `done` is called once, never from inside. Destroying
  /// it gives it up.
  /// @param socket how the probe's own connections are opened: these must come to the same server
  /// @param patience for each of at most three connections
  FollowUp(Loop& loop, const Target& target, const Outcome& outcome,
           std::shared_ptr<const SocketOptions> socket, Done done, Duration patience = kPatience);
  /// No `done` any more; for who cannot destroy it now, being called by it.
  void give_up();
  FollowUp(const FollowUp&) = delete;
  FollowUp& operator=(const FollowUp&) = delete;

 private:
  using Answer = std::function<void(std::string_view first_bytes)>;
  void ask(std::string greeting, Answer answer);
  void on_connected(Connection connection);
  void on_readable();
  void answered(std::string first_bytes);
  void look_for_tls(Finding finding);
  void look_for_http();
  void look_without_name();
  void finish(Finding finding);

  Loop& loop_;
  Endpoint endpoint_;
  std::string server_name_;
  std::string host_;
  std::shared_ptr<const SocketOptions> socket_;
  Done done_;
  std::string greeting_;
  Answer answer_;
  std::unique_ptr<Dial> dial_;
  UniqueFd fd_;
  Watch watch_;
  Duration patience_;
  Timer patience_timer_;
  Timer later_;
};

}  // namespace ua
