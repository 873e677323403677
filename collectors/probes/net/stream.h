// SPDX-License-Identifier: Apache-2.0
// A connected stream socket that is spoken on piece by piece: what is sent goes out as the peer
// takes it, what comes in is handed over, and how it ended is told. Owned by a probe; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "collectors/core/loop.h"
#include "collectors/core/unique_fd.h"

namespace ua {

class Stream {
 public:
  enum class End : std::uint8_t { fin, reset };

  struct Events {
    std::function<void()> sent;                      ///< all that was to be sent is; null: unasked
    std::function<void(std::string_view)> received;  ///< at most 16 KiB a turn of the loop
    std::function<void(End)> ended;                  ///< once; nothing follows
  };

  /// Reads from now on. No event comes from inside the constructor or from inside send(); in any of
  /// them the stream may be closed, but not destroyed.
  Stream(Loop& loop, UniqueFd fd, Events events);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Goes out after what was given before.
  void send(std::string_view bytes);
  bool is_sent() const { return sent_ == outgoing_.size(); }
  int fd() const { return fd_.get(); }  ///< -1 once it is closed
  void close();                         ///< no event follows
  UniqueFd release();                   ///< the same, but the socket goes on elsewhere

 private:
  void on_ready(std::uint32_t events);
  void write();
  void read();
  void end(End how);

  Loop& loop_;
  UniqueFd fd_;
  Events events_;
  Watch watch_;
  std::string outgoing_;
  std::size_t sent_ = 0;
};

}  // namespace ua
