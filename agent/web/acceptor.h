// SPDX-License-Identifier: Apache-2.0
// Accepts the web server's connections and keeps their deadlines, on a thread of its own:
// libmicrohttpd spins where descriptors run out, and its time-outs count idleness. Owned by the
// WebServer.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <thread>
#include <vector>

#include "agent/web/connections.h"
#include "collectors/core/unique_fd.h"

namespace ua {

class Acceptor {
 public:
  /// Takes the connection over, also where it fails. On the acceptor's thread.
  using HandOver = std::function<bool(UniqueFd, const sockaddr*, socklen_t)>;

  /// @return whether there will be more to do; there is where connections are
  using Sweep = std::function<bool(Time)>;

  /// @param sweep called several times a second while it says so
  /// Throws std::system_error where the kernel gives no event descriptor or thread.
  Acceptor(std::vector<UniqueFd> listeners, Connections& connections, std::function<Time()> now,
           HandOver hand_over, Sweep sweep);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  void work();
  int patience_milliseconds(Time now, bool sweeping) const;
  void accept_one(int listener);

  std::vector<UniqueFd> listeners_;
  Connections& connections_;
  std::function<Time()> now_;
  HandOver hand_over_;
  Sweep sweep_;
  Time pause_until_{};  // of accepting: no descriptor, no memory, no place
  UniqueFd stop_;       // readable once the thread shall end
  std::thread thread_;
};

}  // namespace ua
