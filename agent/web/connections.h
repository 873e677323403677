// SPDX-License-Identifier: Apache-2.0
// The open connections of the web server: when each is over, and who gives way where there is no
// room for one more. Times are totals, not idle times, so that a client that drips ends too. Owned
// by the WebServer; any thread.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

struct WebDeadlines {
  Duration handshake = 5s;  ///< of TLS, from connecting
  /// From connecting (or the handshake, or the reply before) to the request's last header.
  Duration request = 5s;
  Duration reply = 15s;  ///< from the request to the last byte of its reply
  /// Where all places are taken, a client that would take longer than this to read its reply, at
  /// its pace so far, gives way.
  Duration give_way = 1s;
};

struct ConnectionLimits {
  std::size_t all = 64;
  std::size_t per_peer = 16;
  /// What replies may take together: as many as this of the largest, or this many bytes if that is
  /// more.
  std::uint64_t replies = 3;
  std::uint64_t reply_bytes = std::uint64_t{16} << 20U;
};

class Connections {
 public:
  using Key = const void*;
  /// Whoever has this address; 0: of a Unix socket, whose file decides who may connect.
  using Peer = std::uint64_t;
  /// @return bytes that the other side has acknowledged since it connected; nullopt: not known
  using Delivered = std::function<std::optional<std::uint64_t>(int fd)>;
  /// @return since when nothing came from the other side; nullopt: not known
  using Idle = std::function<std::optional<Duration>(int fd)>;

  /// An IPv4 address, also within IPv6, or the first half of an IPv6 address: a host has as many
  /// of the second halves as it likes.
  static Peer peer_of(const sockaddr* address);

  Connections(ConnectionLimits limits, WebDeadlines deadlines, Delivered delivered = tcp_delivered,
              Idle idle = tcp_idle);

  /// Whether one more may be accepted. Where all places are taken, another one is ended for it: the
  /// one from which nothing has come for longest while its request is awaited, however often it
  /// drips once that has lasted `give_way`; else the slowest reader. Not without end: who is
  /// ended may come back at once, and all of that would keep a processor busy.
  bool make_room(Time now);
  /// One more was accepted; opened() follows, or dropped() where it came to nothing.
  void accepted(Peer peer);
  void dropped(Peer peer);
  /// A peer that has more than its share of places loses one.
  /// @param fd stays open until closed()
  /// @param handshake it begins with one, which ends with awaits_request()
  void opened(Key key, Peer peer, int fd, Time now, bool handshake = false);
  void closed(Key key);

  void awaits_request(Key key, Time now);
  void owes_reply(Key key, Time now);
  /// The reply is made; from now on it is up to the client. Where replies take more memory than
  /// they may, the slowest readers lose theirs.
  /// @return whether the connection should end with it: who asks without end on one connection is
  /// never silent, and would keep its place while others wait for one
  bool sends_reply(Key key, std::uint64_t bytes, Time now);

  /// Whether another one than this asks, or wants a place, and waits.
  bool others_wait(Key key, Time now) const;

  bool empty() const;
  /// Shuts down (never closes) what is over its time, and slow readers of too much memory.
  void end_overdue(Time now);
  /// How long the oldest request has waited for its reply to be made; zero where none does.
  Duration longest_making(Time now) const;

 private:
  enum class Stage : std::uint8_t { handshake, request, making, reply };
  struct Open {
    Peer peer = 0;
    int fd = -1;
    Stage stage = Stage::request;
    Time since;       ///< of the handshake, of the wait for a request, or of its reply
    Time sent_since;  ///< of stage reply
    std::uint64_t reply_bytes = 0;
    std::uint64_t delivered_before = 0;
    bool ended = false;
  };

  static std::optional<std::uint64_t> tcp_delivered(int fd);
  static std::optional<Duration> tcp_idle(int fd);
  static void end(Open& open);

  // All with the lock held.
  void arrived(Peer peer);
  void set(Key key, Stage stage, Time now);
  std::size_t places(std::optional<Peer> peer) const;
  bool places_are_wanted(Time now) const;
  bool end_one(std::optional<Peer> peer, Time now);
  Open* longest_silent(std::optional<Peer> peer, Time now, Duration least);
  Duration silence(const Open& open, Time now) const;
  Open* slowest(std::optional<Peer> peer, Time now, Duration least);
  void bound_replies(Time now);
  Duration whole_reply(const Open& open, Time now) const;
  Duration allowed(Stage stage) const;

  const ConnectionLimits limits_;
  const WebDeadlines deadlines_;
  const Delivered delivered_;
  const Idle idle_;
  mutable std::mutex mutex_;
  std::vector<Peer> accepted_;  // on their way to opened()
  std::map<Key, Open> open_;
  Time turn_{};  // when ended_this_turn_ was 0
  unsigned ended_this_turn_ = 0;
  std::optional<Time> wanted_;  // a place, while all were taken
};

}  // namespace ua
