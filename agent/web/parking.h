// SPDX-License-Identifier: Apache-2.0
// Requests whose answer comes later, from another thread; their connections are suspended meanwhile
// so that no serving thread waits. Shared by the WebServer and whoever answers; any thread.
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "agent/web/replies.h"
#include "collectors/core/time.h"

namespace ua {

class Parking {
 public:
  using Ticket = std::uint64_t;

  /// Suspends the connection.
  /// @param slot is filled in before the connection resumes, and stays until then
  /// @param deadline when expire() answers instead, with `late`
  /// @return nullopt after close()
  std::optional<Ticket> park(MHD_Connection* connection, WebReply& slot, Time deadline,
                             WebReply late);
  /// Does nothing where the request was answered already.
  void answer(Ticket ticket, WebReply reply);
  /// Answers what is due by `now`.
  void expire(Time now);
  /// Answers all with `reply` and takes no more: libmicrohttpd ends only without suspended ones.
  void close(const WebReply& reply);

 private:
  struct Parked {
    MHD_Connection* connection;
    WebReply* slot;
    Time deadline;
    WebReply late;
  };
  static void resume(const Parked& parked, WebReply reply);

  std::mutex mutex_;
  bool closed_ = false;
  Ticket last_ = 0;
  std::map<Ticket, Parked> parked_;
};

}  // namespace ua
