// SPDX-License-Identifier: Apache-2.0
// Connections whose other ends are at hand, in virtual time.
#pragma once

#include <sys/socket.h>

#include <array>
#include <map>
#include <utility>

#include "agent/web/connections.h"
#include "collectors/core/unique_fd.h"
#include "tests/catch.h"

namespace connections_test {

using namespace std::chrono_literals;

/// Both ends of one connection; the server's end is the key.
struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()) == 0);
    server.reset(fds[0]);
    client.reset(fds[1]);
  }
  bool ended() const {
    char byte = 0;
    return recv(client.get(), &byte, 1, 0) == 0;
  }
  ua::UniqueFd server, client;
};

inline constexpr ua::Connections::Peer kA = 1;
inline constexpr ua::Connections::Peer kB = 2;
inline constexpr ua::Connections::Peer kUnixSocket = 0;

struct Fixture {
  ua::Time now{1h};
  std::map<int, std::uint64_t> delivered;  // by descriptor; what is not there is not known
  std::map<int, ua::Time> heard;           // likewise: when something last came
  ua::Connections connections{{.all = 3, .per_peer = 2},
                              {.handshake = 4s, .request = 5s, .reply = 15s, .give_way = 1s},
                              [this](int fd) -> std::optional<std::uint64_t> {
                                const auto it = delivered.find(fd);
                                if (it == delivered.end()) return std::nullopt;
                                return it->second;
                              },
                              [this](int fd) -> std::optional<ua::Duration> {
                                const auto it = heard.find(fd);
                                if (it == heard.end()) return std::nullopt;
                                return now - it->second;
                              }};
  void open(const Pair& pair, ua::Connections::Peer peer = kUnixSocket) {
    connections.accepted(peer);
    connections.opened(&pair, peer, pair.server.get(), now);
  }
  /// Its request is here and its reply of 1000 bytes is made.
  void reply(const Pair& pair, std::uint64_t acknowledged = 0) {
    delivered[pair.server.get()] = acknowledged;
    connections.owes_reply(&pair, now);
    connections.sends_reply(&pair, 1000, now);
  }
  void advance(ua::Duration by) {
    now += by;
    connections.end_overdue(now);
  }
};
}  // namespace connections_test
