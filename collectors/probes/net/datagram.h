// SPDX-License-Identifier: Apache-2.0
// A connected UDP socket: only its peer is heard, and what the network says of a packet that it did
// not deliver (ip(7), IP_RECVERR). Owned by a probe; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "collectors/core/loop.h"
#include "collectors/core/unique_fd.h"
#include "collectors/probes/net/dial.h"

namespace ua {

class Datagram {
 public:
  static constexpr std::size_t kMaxSize = 64UL * 1024;

  struct Events {
    std::function<void(std::string_view)> received;  ///< one whole datagram a turn of the loop
    std::function<void(const DialFailure&)> failed;  ///< once; the socket is closed, none follows
  };

  /// Opens the socket. No event comes from inside the constructor or from inside send(); in any of
  /// them it may be closed, but not destroyed.
  /// @param options null: none
  Datagram(Loop& loop, const Endpoint& peer, Events events,
           const std::shared_ptr<const SocketOptions>& options = nullptr);
  Datagram(const Datagram&) = delete;
  Datagram& operator=(const Datagram&) = delete;

  void send(std::string_view bytes);  ///< one datagram; nothing where the socket is closed
  void close();                       ///< no event follows

 private:
  void open(const SocketOptions* options);
  void on_ready(std::uint32_t events);
  bool receive();
  void fail_later(const DialFailure& failure);

  Loop& loop_;
  const Endpoint peer_;
  Events events_;
  UniqueFd fd_;
  Watch watch_;
  Timer later_;
};

/// As classify_dial(), but for one thing: of a datagram, "port unreachable" is what the kernel of a
/// host says that has nobody there. Pure.
Classified classify_datagram(const DialFailure& failure);

}  // namespace ua
