// SPDX-License-Identifier: Apache-2.0
#include "agent/web/logins.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "agent/web/bcrypt.h"

namespace ua {

Logins::Logins(std::size_t places) : most_asking_(std::max<std::size_t>(places / 2, 1)) {
  if (getrandom(key_.data(), key_.size(), 0) != static_cast<ssize_t>(key_.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
}

Logins::~Logins() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Logins::Digest Logins::digest(std::string_view text) const {
  hmac_sha256_ctx context{};
  hmac_sha256_set_key(&context, key_.size(), key_.data());
  hmac_sha256_update(&context, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  Digest result{};
  hmac_sha256_digest(&context, result.size(), result.data());
  return result;
}

/// Of both together, with the length between them: "a" with "bc" is not "ab" with "c".
Logins::Digest Logins::login_digest(const BasicCredentials& credentials) const {
  return digest(std::to_string(credentials.user.size()) + ':' + credentials.user +
                credentials.password);
}

bool Logins::same(const Digest& a, const Digest& b) {
  return nettle_memeql_sec(a.data(), b.data(), a.size()) != 0;
}

/// Looks at all of them, so that the time tells nothing.
Logins::User* Logins::find(std::vector<User>& users, const Digest& name) {
  User* result = nullptr;
  for (User& user : users) {
    if (same(user.name, name)) result = &user;
  }
  return result;
}

void Logins::set_users(const std::vector<WebUser>& users) {
  const std::lock_guard lock(mutex_);
  std::vector<User> next;
  most_cost_ = 0;
  for (const WebUser& user : users) {
    next.push_back({digest(user.name), user.hash, std::nullopt});
    const User* const before = find(users_, next.back().name);
    if (before != nullptr && before->hash == user.hash) next.back().valid = before->valid;
    most_cost_ = std::max(most_cost_, bcrypt_cost(user.hash).value_or(0));
  }
  users_ = std::move(next);
  needed_ = !users_.empty();
}

bool Logins::is_known(const BasicCredentials& credentials) const {
  const Digest login = login_digest(credentials);
  const std::lock_guard lock(mutex_);
  bool known = false;
  for (const User& user : users_) {
    if (user.valid && same(*user.valid, login)) known = true;
  }
  return known;
}

/// With the lock held, as the next.
bool Logins::may_ask(Connections::Peer peer) const {
  std::size_t all = 0;
  std::size_t of_peer = 0;
  for (const Job& job : jobs_) {
    all += job.asking.size();
    of_peer += static_cast<std::size_t>(
        std::count_if(job.asking.begin(), job.asking.end(),
                      [&](const Asking& asking) { return asking.peer == peer; }));
  }
  return all < most_asking_ && of_peer < kMostAskingOfPeer;
}

bool Logins::may_begin(Connections::Peer peer) const {
  const auto of_peer = std::count_if(
      jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.asking.front().peer == peer; });
  return jobs_.size() <= kMostWaiting && static_cast<std::size_t>(of_peer) < kMostWaitingOfPeer;
}

bool Logins::verify(const BasicCredentials& credentials, Connections::Peer peer, Done done) {
  const Digest login = login_digest(credentials);
  const std::lock_guard lock(mutex_);
  if (!may_ask(peer)) return false;
  const auto twin = std::find_if(jobs_.begin(), jobs_.end(),
                                 [&](const Job& job) { return same(job.login, login); });
  if (twin != jobs_.end()) {
    twin->asking.push_back({peer, std::move(done)});
    return true;
  }
  if (!may_begin(peer)) return false;
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });  // may throw: before the rest
  std::vector<Asking> asking;
  asking.push_back({peer, std::move(done)});
  jobs_.push_back({login, digest(credentials.user), credentials.password, std::move(asking)});
  changed_.notify_all();
  return true;
}

void Logins::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    const User* const user = find(users_, jobs_.front().name);
    const auto hash = user != nullptr ? std::optional(user->hash) : std::nullopt;
    const unsigned most_cost = most_cost_;
    const std::string password = jobs_.front().password;
    lock.unlock();
    bool valid = matches(password, hash, most_cost);
    lock.lock();
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    User* const now = find(users_, job.name);
    valid = valid && now != nullptr && now->hash == hash;  // a reload may have come
    if (valid) now->valid = job.login;
    lock.unlock();
    for (const Asking& asking : job.asking) asking.done(valid);
    lock.lock();
  }
}

/// What fails takes the rounds of the costliest hash, whoever the user is: 2^a of their own and
/// 2^a + ... + 2^(b-1) for nothing are 2^b.
bool Logins::matches(const std::string& password, const std::optional<std::string>& hash,
                     unsigned most_cost) const {
  if (!hash) {
    bcrypt_pretend(password, most_cost);
    return false;
  }
  if (bcrypt_matches(password, *hash)) return true;
  for (unsigned cost = bcrypt_cost(*hash).value_or(most_cost); cost < most_cost && !stop_; ++cost) {
    bcrypt_pretend(password, cost);
  }
  return false;
}

}  // namespace ua
