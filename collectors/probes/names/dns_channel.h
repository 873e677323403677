// SPDX-License-Identifier: Apache-2.0
// One c-ares channel on our Loop: questions about one family of one name, exactly as it is given.
// Replaced as a whole when resolv.conf changes, alive until its last question is answered. Loop
// thread.
#pragma once

#include <ares.h>
#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/core/loop.h"
#include "collectors/probes/names/dns_classify.h"
#include "collectors/probes/net/endpoint.h"

namespace ua {

class DnsChannel : public std::enable_shared_from_this<DnsChannel> {
 public:
  /// What becomes of an answer that is an error of the server's own (SERVFAIL, REFUSED, NOTIMP).
  enum class OnServerError : std::uint8_t {
    report,    ///< its RCODE is the answer
    ask_next,  ///< the next server is asked, as the C library does; the RCODE is lost
  };

  struct Answer {
    int status = ARES_SUCCESS;
    std::vector<Endpoint> addresses;  ///< port 0
    std::optional<Duration> ttl;
    int local_error = 0;  ///< errno where this host could not even ask
  };
  /// Called once, perhaps from inside ask(); not any more once the channel is gone.
  using Done = std::function<void(const Answer&)>;
  /// Something with the question's id came from the server that was asked and is no reply to it.
  /// The wait goes on, in case it was forged. Must not call the channel.
  using OnBadReply = std::function<void()>;

  /// Throws std::runtime_error where c-ares gives no channel.
  DnsChannel(Loop& loop, OnServerError on_server_error, const QueryTiming& timing);
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  /// @param family AF_INET or AF_INET6
  void ask(const std::string& name, int family, Done done, OnBadReply on_bad_reply);
  /// A question that any resolver can answer, out of its cache: the root's name servers.
  void ask_control(Done done);

  /// resolv.conf's.
  const std::vector<std::string>& search_domains() const { return search_domains_; }
  int ndots() const { return ndots_; }
  std::size_t servers() const { return servers_; }

 private:
  struct Question;
  static void on_socket_state(void* data, ares_socket_t fd, int readable, int writable) noexcept;
  static void on_answer(void* data, int status, int timeouts, unsigned char* message,
                        int size) noexcept;
  void pose(const std::string& name, int type, std::unique_ptr<Question> question);
  std::uint16_t unused_id() const;
  bool look_at(const std::uint8_t* datagram, std::size_t size) const;
  void own_sockets();
  ares_ssize_t send(int fd, const iovec* parts, int count) noexcept;
  ares_ssize_t receive(int fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                       ares_socklen_t* from_size) noexcept;
  void read_settings();
  void arm();
  void process(int readable, int writable);

  Loop& loop_;
  ares_channel ares_ = nullptr;
  std::map<int, Watch> watches_;
  Timer timer_;
  std::map<int, int> refused_;  // errno by socket: what a write met and the read is to be told
  Timer refusal_;
  std::unordered_map<std::uint16_t, Question*> by_id_;
  Question* posing_ = nullptr;  // its id is learned from its first datagram
  std::vector<std::string> search_domains_;
  int ndots_ = 1;
  std::size_t servers_ = 0;
  int local_error_ = 0;  // of the last socket that could not be had
};

}  // namespace ua
