// SPDX-License-Identifier: Apache-2.0
// One connection attempt to one endpoint, and the class of its failure. The whole agent connects
// here, so that every protocol has the same evidence: errno, ICMP answer, time. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "collectors/core/error_class.h"
#include "collectors/core/loop.h"
#include "collectors/core/unique_fd.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/net/socket_evidence.h"
#include "collectors/probes/net/socket_options.h"

namespace ua {

/// A connected stream socket, non-blocking.
struct Connection {
  UniqueFd fd;
  Endpoint peer;
  Time connected_at;
  /// What it was opened with, for other connections of the same probe; null: nothing. Without a
  /// descriptor the PROXY line is still to be sent.
  std::shared_ptr<const SocketOptions> options = nullptr;
};

/// How an attempt ended without a connection.
struct DialFailure {
  int error = 0;           ///< errno; 0 where it was given up
  bool no_socket = false;  ///< socket() itself failed
  bool timed_out = false;
  bool unix_socket = false;
  std::optional<IcmpError> icmp;
  bool queue_full = false;              ///< the local listener's accept queue is full
  bool listening = false;               ///< refused, although this host has a listener there
  bool no_source = false;               ///< this host has no address to connect from
  std::optional<SocketTrouble> option;  ///< what the kernel did not take
  bool zone_missing = false;            ///< link-local address that does not say on which interface
};

struct Classified {
  ErrorClass error = ErrorClass::none;
  std::string detail;
};

/// error-classes, connect table: pure.
Classified classify_dial(const DialFailure& failure);

class Dial {
 public:
  using Connected = std::function<void(Connection)>;
  using Failed = std::function<void(DialFailure)>;

  /// Starts at once; exactly one callback follows, never from inside the constructor. Destroying
  /// the Dial gives the attempt up without a callback.
  /// @param options null: none
  Dial(Loop& loop, const Endpoint& endpoint, Connected connected, Failed failed,
       std::shared_ptr<const SocketOptions> options = nullptr);

  /// What is known when time is up. No callback follows.
  DialFailure give_up();

 private:
  void open();
  void on_ready();
  void fail_later(int error, bool no_socket);
  void fail_later(const DialFailure& failure);
  std::optional<SocketTrouble> option_at_fault(int error) const;

  Loop& loop_;
  Endpoint endpoint_;
  Connected connected_;
  Failed failed_;
  std::shared_ptr<const SocketOptions> options_;
  UniqueFd fd_;
  Watch watch_;
  Timer later_;
};

}  // namespace ua
