// SPDX-License-Identifier: Apache-2.0
#include "agent/web/connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

#include "collectors/probes/net/socket_evidence.h"

namespace ua {
namespace {

/// 500 that want a place, and come back as soon as they have lost it, are through in a third of a
/// second, at some 10 % of a processor.
constexpr unsigned kEndedATurn = 16;
constexpr Duration kTurn = 10ms;

/// A pace says nothing before: the first bytes only fill the buffers on the way.
constexpr Duration kFirstJudgement = 100ms;

/// Who has been silent for less may be about to speak: a client of another network, or one at work
/// on its part of a handshake. As many places change hands in a second as 64 / 30 ms.
constexpr Duration kLeastSilence = 30ms;

/// As long as all places are taken and somebody waits, the acceptor asks every few milliseconds,
/// but on a busy machine.
constexpr Duration kWanted = 1s;

bool has_unread(int fd) {
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

Connections::Peer Connections::peer_of(const sockaddr* address) {
  if (address == nullptr) return 0;
  if (address->sa_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
  }
  if (address->sa_family != AF_INET6) return 0;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  Peer first_half = 0;
  for (std::size_t i = 0; i < 8; ++i) first_half = first_half << 8U | v6.s6_addr[i];
  if (!IN6_IS_ADDR_V4MAPPED(&v6))
    return std::max<Peer>(first_half, 1);  // ::1 has a first half of 0
  std::uint32_t v4 = 0;
  std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
  return ntohl(v4);
}

std::optional<std::uint64_t> Connections::tcp_delivered(int fd) {
  const TcpEvidence evidence = read_tcp_evidence(fd);
  return evidence.known ? std::optional(evidence.bytes_acked) : std::nullopt;
}

std::optional<Duration> Connections::tcp_idle(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return std::chrono::milliseconds(info.tcpi_last_data_recv);
}

Connections::Connections(ConnectionLimits limits, WebDeadlines deadlines, Delivered delivered,
                         Idle idle)
    : limits_(limits),
      deadlines_(deadlines),
      delivered_(std::move(delivered)),
      idle_(std::move(idle)) {}

bool Connections::make_room(Time now) {
  const std::lock_guard lock(mutex_);
  if (now - turn_ >= kTurn) {
    turn_ = now;
    ended_this_turn_ = 0;
  }
  // Those that were ended are still there until the server has noticed.
  if (ended_this_turn_ >= kEndedATurn || accepted_.size() + open_.size() >= 2 * limits_.all) {
    return false;
  }
  if (places(std::nullopt) < limits_.all) return true;
  wanted_ = now;
  return end_one(std::nullopt, now);
}

void Connections::accepted(Peer peer) {
  const std::lock_guard lock(mutex_);
  accepted_.push_back(peer);
}

void Connections::dropped(Peer peer) {
  const std::lock_guard lock(mutex_);
  arrived(peer);
}

void Connections::arrived(Peer peer) {
  const auto it = std::find(accepted_.begin(), accepted_.end(), peer);
  if (it != accepted_.end()) accepted_.erase(it);
}

void Connections::opened(Key key, Peer peer, int fd, Time now, bool handshake) {
  const std::lock_guard lock(mutex_);
  arrived(peer);
  Open& open = open_[key] = Open{};
  open.peer = peer;
  open.fd = fd;
  open.since = now;
  if (handshake) open.stage = Stage::handshake;
  // Where none of them can give way it keeps its place all the same.
  if (peer != 0 && places(peer) > limits_.per_peer) end_one(peer, now);
}

void Connections::closed(Key key) {
  const std::lock_guard lock(mutex_);
  open_.erase(key);
}

void Connections::set(Key key, Stage stage, Time now) {
  const auto it = open_.find(key);
  if (it == open_.end()) return;
  it->second.since = now;
  it->second.stage = stage;
}

void Connections::awaits_request(Key key, Time now) {
  const std::lock_guard lock(mutex_);
  set(key, Stage::request, now);
}

void Connections::owes_reply(Key key, Time now) {
  const std::lock_guard lock(mutex_);
  set(key, Stage::making, now);
}

bool Connections::sends_reply(Key key, std::uint64_t bytes, Time now) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(key);
  if (it == open_.end()) return true;
  it->second.stage = Stage::reply;
  it->second.sent_since = now;
  it->second.reply_bytes = bytes;
  it->second.delivered_before = delivered_(it->second.fd).value_or(0);
  bound_replies(now);
  const Peer peer = it->second.peer;
  return places_are_wanted(now) || (peer != 0 && places(peer) > limits_.per_peer);
}

bool Connections::places_are_wanted(Time now) const { return wanted_ && now - *wanted_ < kWanted; }

bool Connections::others_wait(Key key, Time now) const {
  const std::lock_guard lock(mutex_);
  if (places_are_wanted(now) || !accepted_.empty()) return true;
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) {
    const Open& open = entry.second;
    const bool waits = open.stage == Stage::request || open.stage == Stage::handshake;
    return entry.first != key && waits && !open.ended && has_unread(open.fd);
  });
}

/// Those that are too young to be judged keep theirs; it is bounded again when they are not.
void Connections::bound_replies(Time now) {
  std::uint64_t held = 0;
  std::uint64_t largest = 0;
  for (const auto& [key, open] : open_) {
    if (open.stage != Stage::reply || open.ended) continue;
    held += open.reply_bytes;
    largest = std::max(largest, open.reply_bytes);
  }
  const std::uint64_t allowed = std::max(limits_.reply_bytes, limits_.replies * largest);
  while (held > allowed) {
    Open* const open = slowest(std::nullopt, now, Duration::zero());
    if (open == nullptr) return;
    end(*open);
    held -= open->reply_bytes;
  }
}

bool Connections::empty() const {
  const std::lock_guard lock(mutex_);
  return accepted_.empty() && open_.empty();
}

std::size_t Connections::places(std::optional<Peer> peer) const {
  const auto on_their_way = std::count_if(accepted_.begin(), accepted_.end(), [&](Peer other) {
    return other == peer.value_or(other);
  });
  const auto open = std::count_if(open_.begin(), open_.end(), [&](const auto& entry) {
    return !entry.second.ended && entry.second.peer == peer.value_or(entry.second.peer);
  });
  return static_cast<std::size_t>(on_their_way + open);
}

void Connections::end(Open& open) {
  if (open.ended) return;
  if (open.stage == Stage::reply) {
    // What it has not read must not stay in the kernel's buffer until it is tired of that.
    const linger at_once{1, 0};
    ::setsockopt(open.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::shutdown(open.fd, SHUT_RDWR);
  open.ended = true;
}

bool Connections::end_one(std::optional<Peer> peer, Time now) {
  Open* const open = [&] {
    // Of one client's own, any.
    Open* const silent = longest_silent(peer, now, peer ? Duration::zero() : kLeastSilence);
    return silent != nullptr ? silent : slowest(peer, now, deadlines_.give_way);
  }();
  if (open == nullptr) return false;
  end(*open);
  ++ended_this_turn_;
  return true;
}

/// A handshake takes several flights, each of which comes soon after the one before, also where so
/// many want a place that none keeps it for long.
Duration Connections::silence(const Open& open, Time now) const {
  const Duration age = now - open.since;
  if (age >= deadlines_.give_way) return age;
  return std::min(age, idle_(open.fd).value_or(age));
}

/// A client whose bytes nobody has read yet is not silent.
Connections::Open* Connections::longest_silent(std::optional<Peer> peer, Time now, Duration least) {
  std::vector<std::pair<Duration, Open*>> waiting;
  for (auto& [key, open] : open_) {
    const bool waits = open.stage == Stage::request || open.stage == Stage::handshake;
    if (!waits || open.ended || open.peer != peer.value_or(open.peer)) continue;
    const Duration silent = silence(open, now);
    if (silent >= least) waiting.emplace_back(silent, &open);
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  const auto it = std::find_if(waiting.begin(), waiting.end(),
                               [](const auto& one) { return !has_unread(one.second->fd); });
  return it != waiting.end() ? it->second : nullptr;
}

/// @param least who takes no longer than this is not slow
Connections::Open* Connections::slowest(std::optional<Peer> peer, Time now, Duration least) {
  Open* result = nullptr;
  Duration longest = least;
  for (auto& [key, open] : open_) {
    const bool reads = open.stage == Stage::reply && !open.ended;
    if (!reads || open.peer != peer.value_or(open.peer)) continue;
    if (now - open.sent_since < kFirstJudgement) continue;
    const Duration whole = whole_reply(open, now);
    if (whole <= longest) continue;
    result = &open;
    longest = whole;
  }
  return result;
}

/// How long its reply would take from the first byte to the last at the pace so far.
Duration Connections::whole_reply(const Open& open, Time now) const {
  const auto delivered = delivered_(open.fd);
  const Duration taken = now - open.sent_since;
  if (!delivered) return taken;
  const double part = static_cast<double>(*delivered - open.delivered_before) /
                      static_cast<double>(std::max<std::uint64_t>(open.reply_bytes, 1));
  constexpr double kLeast = 1e-6;  // keeps the quotient within what a Duration holds
  return std::chrono::duration_cast<Duration>(taken / std::max(part, kLeast));
}

Duration Connections::allowed(Stage stage) const {
  if (stage == Stage::handshake) return deadlines_.handshake;
  return stage == Stage::request ? deadlines_.request : deadlines_.reply;
}

void Connections::end_overdue(Time now) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, open] : open_) {
    if (now - open.since > allowed(open.stage)) end(open);
  }
  bound_replies(now);
}

Duration Connections::longest_making(Time now) const {
  const std::lock_guard lock(mutex_);
  Duration longest{};
  for (const auto& [key, open] : open_) {
    if (open.stage == Stage::making) longest = std::max<Duration>(longest, now - open.since);
  }
  return longest;
}

}  // namespace ua
