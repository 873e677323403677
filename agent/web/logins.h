// SPDX-License-Identifier: Apache-2.0
// Whether a user and password are among those of the configuration. A password costs a bcrypt the
// first time, one after another on a thread of its own; a valid one is remembered as a keyed
// digest, in a place that only its user has, so that nothing that fails pushes it out. Owned by the
// WebServer; any thread.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/config/config.h"
#include "agent/web/basic_auth.h"
#include "agent/web/connections.h"

namespace ua {

class Logins {
 public:
  /// That wait for their bcrypt, in all and of one client, who cannot fill the line for the others.
  static constexpr std::size_t kMostWaiting = 16;
  static constexpr std::size_t kMostWaitingOfPeer = 4;
  /// Requests of one client that wait for these, those with the same password included: each has a
  /// connection that nobody else gets meanwhile.
  static constexpr std::size_t kMostAskingOfPeer = 8;

  /// @param places that there are for connections: requests that wait here take half of them at
  /// most
  explicit Logins(std::size_t places);
  /// Waits for a bcrypt at work; nobody gets an answer any more.
  ~Logins();
  Logins(const Logins&) = delete;
  Logins& operator=(const Logins&) = delete;

  /// From here on these; a user whose hash stays the same stays logged in.
  void set_users(const std::vector<WebUser>& users);
  /// Whether there are users at all.
  bool needed() const { return needed_; }

  /// Whether they were found valid before. Takes microseconds.
  bool is_known(const BasicCredentials& credentials) const;

  /// On the thread of its own, and not while a lock is held that another call here waits for.
  using Done = std::function<void(bool valid)>;
  /// Finds out; the same of several clients at once is found out once. Takes as long whether there
  /// is such a user or not.
  /// @return false where too many wait; `done` is dropped then
  [[nodiscard]] bool verify(const BasicCredentials& credentials, Connections::Peer peer, Done done);

 private:
  using Digest = std::array<std::uint8_t, 32>;
  struct User {
    Digest name{};
    std::string hash;
    std::optional<Digest> valid;  // of the last valid login
  };
  struct Asking {
    Connections::Peer peer = 0;
    Done done;
  };
  struct Job {
    Digest login{};
    Digest name{};
    std::string password;
    std::vector<Asking> asking;  // the first of them began it
  };

  Digest digest(std::string_view text) const;
  Digest login_digest(const BasicCredentials& credentials) const;
  static bool same(const Digest& a, const Digest& b);
  static User* find(std::vector<User>& users, const Digest& name);
  bool may_ask(Connections::Peer peer) const;
  bool may_begin(Connections::Peer peer) const;
  void work();
  bool matches(const std::string& password, const std::optional<std::string>& hash,
               unsigned most_cost) const;

  const std::size_t most_asking_;
  std::array<std::uint8_t, 32> key_{};
  std::atomic<bool> needed_{false};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<User> users_;
  unsigned most_cost_ = 0;
  std::deque<Job> jobs_;  // the first is at work
  std::thread thread_;    // starts with the first job
};

}  // namespace ua
