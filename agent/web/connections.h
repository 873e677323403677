// SPDX-License-Identifier: Apache-2.0
// The open connections of the web server, each with the moment at which it is over: totals, not
// idle times, so that a client that drips ends too. Owned by the WebServer; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

struct WebDeadlines {
  Duration request = 5s;  ///< from connecting (or the reply before) to the request's last header
  Duration reply = 15s;   ///< from the request to the last byte of its reply
  /// Where all connections are taken, one that has waited this long for a request gives way.
  Duration give_way = 1s;
};

class Connections {
 public:
  using Key = const void*;

  Connections(std::size_t limit, WebDeadlines deadlines);

  /// One more was accepted; opened() follows, or dropped() where it came to nothing.
  void accepted();
  void dropped();
  /// @param fd stays open until closed()
  void opened(Key key, int fd, Time now);
  void closed(Key key);

  void awaits_request(Key key, Time now);
  void owes_reply(Key key, Time now);

  bool full() const;
  bool empty() const;
  /// Shuts down (never closes) what is over its time, and where all are taken the one that has
  /// waited longest for its request.
  void end_overdue(Time now);

 private:
  struct Open {
    int fd = -1;
    Time since;
    bool owes_reply = false;
    bool ended = false;
  };
  void set(Key key, bool owes_reply, Time now);
  static void end(Open& open);
  bool full_locked() const { return accepted_ + open_.size() >= limit_; }

  const std::size_t limit_;
  const WebDeadlines deadlines_;
  mutable std::mutex mutex_;
  std::size_t accepted_ = 0;  // on their way to opened()
  std::map<Key, Open> open_;
};

}  // namespace ua
