// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"

namespace ua {
namespace {

constexpr std::size_t kReceiveBuffer =
    std::size_t{32} * 1024;  // with less the kernel cuts answers short
// The kernel has each answer ready when it is asked for, so this only bounds a fault of its own.
constexpr timeval kPatience{0, 250'000};
constexpr int kWalks = 3;
constexpr std::uint8_t kTimeWaitTimer = 3;  // idiag_timer of a mini socket

using Operation = inet_diag_bc_op;
using Program = std::vector<Operation>;
constexpr std::size_t kLeaf = 5;  // operations for one port
constexpr std::size_t kFork = 2;  // operations to choose between two halves

std::uint16_t jump(std::size_t operations) {
  return static_cast<std::uint16_t>(operations * sizeof(Operation));
}

/// A binary search in the kernel's filter language, so that a socket costs log2(ports) comparisons.
/// A comparison is two operations, the port in the second; "yes" goes on behind them, "no" jumps.
/// Landing on `end` is a match, one operation past it is none.
void add_port_search(Program& program, std::span<const std::uint16_t> sorted, std::size_t end) {
  constexpr std::uint8_t kNext = 2 * sizeof(Operation);
  const std::size_t at = program.size();
  if (sorted.size() == 1) {
    program.push_back({INET_DIAG_BC_S_GE, kNext, jump(end + 1 - at)});
    program.push_back({0, 0, sorted[0]});
    program.push_back({INET_DIAG_BC_S_LE, kNext, jump(end + 1 - (at + 2))});
    program.push_back({0, 0, sorted[0]});
    program.push_back({INET_DIAG_BC_JMP, sizeof(Operation), jump(end - (at + 4))});
    return;
  }
  const std::size_t half = sorted.size() / 2;
  const std::size_t upper = sorted.size() - half;
  program.push_back({INET_DIAG_BC_S_GE, kNext, jump(upper * (kLeaf + kFork))});
  program.push_back({0, 0, sorted[half]});
  add_port_search(program, sorted.subspan(half), end);
  add_port_search(program, sorted.first(half), end);
}

Program port_search(std::vector<std::uint16_t> ports) {
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  Program program;
  add_port_search(program, ports, ports.size() * (kLeaf + kFork) - kFork);
  return program;
}

Program range_check(PortRange range) {
  constexpr std::uint8_t kNext = 2 * sizeof(Operation);
  constexpr std::size_t kEnd = 4;
  return {{INET_DIAG_BC_S_GE, kNext, jump(kEnd + 1)},
          {0, 0, range.first},
          {INET_DIAG_BC_S_LE, kNext, jump(kEnd + 1 - 2)},
          {0, 0, range.last}};
}

Program program_of(const DiagFilter& filter) {
  if (!filter.local_ports.empty()) return port_search(filter.local_ports);
  return filter.local_range ? range_check(*filter.local_range) : Program{};
}

/// TCPDIAG_GETSOCK is the older message: unlike SOCK_DIAG_BY_FAMILY it takes AF_UNSPEC, which is
/// half the cost, since every walk passes all buckets of the kernel's table.
Result<void> send_request(int fd, const DiagFilter& filter) {
  struct {
    nlmsghdr header{};
    inet_diag_req body{};
    rtattr attribute{};
  } request;
  request.header.nlmsg_type = TCPDIAG_GETSOCK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.idiag_states = filter.states;
  std::size_t size = offsetof(decltype(request), attribute);
  Program program = program_of(filter);
  if (!program.empty()) {
    request.attribute.rta_type = INET_DIAG_REQ_BYTECODE;
    request.attribute.rta_len =
        static_cast<std::uint16_t>(RTA_LENGTH(program.size() * sizeof(Operation)));
    size = sizeof request;
  }
  std::array<iovec, 2> parts{
      {{&request, size}, {program.data(), program.size() * sizeof(Operation)}}};
  request.header.nlmsg_len = static_cast<std::uint32_t>(size + parts[1].iov_len);
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  if (sendmsg(fd, &message, 0) < 0) return fail("sock_diag: " + errno_text(errno), errno);
  return {};
}

/// The value that `bytes` begins with; zeros where they are too few.
template <typename T>
T beginning(std::string_view bytes) {
  T result{};
  if (bytes.size() >= sizeof result) std::memcpy(&result, bytes.data(), sizeof result);
  return result;
}

/// The attribute INET_DIAG_SKV6ONLY, which the kernel adds to every IPv6 listener unasked.
bool is_v6_only(std::string_view attributes) {
  while (attributes.size() >= sizeof(rtattr)) {
    const auto attribute = beginning<rtattr>(attributes);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > attributes.size()) return false;
    if (attribute.rta_type == INET_DIAG_SKV6ONLY) {
      return attribute.rta_len > sizeof attribute && attributes[sizeof attribute] != 0;
    }
    attributes.remove_prefix(
        std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), attributes.size()));
  }
  return false;
}

DiagSocket to_socket(std::string_view payload) {
  const auto message = beginning<inet_diag_msg>(payload);
  DiagSocket result;
  result.family = message.idiag_family;
  result.state = static_cast<TcpState>(message.idiag_state);
  std::memcpy(result.local.data(), message.id.idiag_src, result.local.size());
  result.mini = message.idiag_timer == kTimeWaitTimer;
  result.local_port = ntohs(message.id.idiag_sport);
  std::memcpy(result.remote.data(), message.id.idiag_dst, result.remote.size());
  result.remote_port = ntohs(message.id.idiag_dport);
  result.receive_queue = message.idiag_rqueue;
  result.send_queue = message.idiag_wqueue;
  if (result.family == AF_INET6 && result.state == TcpState::listen) {
    result.v6_only = is_v6_only(payload.substr(sizeof message));
  }
  result.uid = message.idiag_uid;
  result.inode = message.idiag_inode;
  return result;
}

/// @return whether the dump goes on
Result<bool> take_message(const nlmsghdr& header, std::string_view payload,
                          const std::function<void(const DiagSocket&)>& visit) {
  if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) return fail("sock_diag: interrupted", EINTR);
  if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
    const int error = beginning<int>(payload);  // both begin with a negative errno
    if (error == 0) return false;
    const int code = error < 0 && error != std::numeric_limits<int>::min() ? -error : EPROTO;
    return fail("sock_diag: " + errno_text(code), code);
  }
  // The kernel answers either request with either type.
  const bool is_socket =
      header.nlmsg_type == TCPDIAG_GETSOCK || header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
  if (is_socket && payload.size() >= sizeof(inet_diag_msg)) {
    visit(to_socket(payload));
  }
  return true;
}

Result<std::size_t> receive(int fd, std::vector<char>& buffer) {
  ssize_t size = 0;
  do {
    size = recv(fd, buffer.data(), buffer.size(), MSG_TRUNC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return fail("sock_diag: " + errno_text(errno), errno);
  if (static_cast<std::size_t>(size) > buffer.size()) {
    return fail("sock_diag: an answer was cut short", EMSGSIZE);
  }
  return static_cast<std::size_t>(size);
}

}  // namespace

std::string_view name(TcpState state) {
  static constexpr std::array<std::string_view, kTcpStateCount + 1> kNames{
      "unknown",   "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2",
      "time_wait", "close",       "close_wait", "last_ack", "listen",    "closing"};
  const auto index = static_cast<std::size_t>(state);
  return kNames[index < kNames.size() ? index : 0];
}

Result<bool> read_diag_messages(std::string_view bytes,
                                const std::function<void(const DiagSocket&)>& visit) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const auto header = beginning<nlmsghdr>(bytes);
    const std::size_t size = header.nlmsg_len;
    if (size < sizeof header || size > bytes.size()) {
      return fail("sock_diag: a message was cut short", EMSGSIZE);
    }
    Result<bool> more =
        take_message(header, bytes.substr(NLMSG_HDRLEN, size - NLMSG_HDRLEN), visit);
    if (!more || !*more) return more;
    bytes.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(size), bytes.size()));
  }
  return true;
}

Result<void> walk_tcp_sockets(const DiagFilter& filter,
                              const std::function<void(const DiagSocket&)>& visit) {
  const UniqueFd fd(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd) return fail("sock_diag: " + errno_text(errno), errno);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (Result<void> sent = send_request(fd.get(), filter); !sent) return sent;
  std::vector<char> buffer(kReceiveBuffer);
  for (;;) {
    const Result<std::size_t> size = receive(fd.get(), buffer);
    if (!size) return tl::unexpected(size.error());
    const Result<bool> more = read_diag_messages({buffer.data(), *size}, visit);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
  }
}

bool worth_another_walk(const Error& error) { return error.code == EINTR || error.code == ENOBUFS; }

Result<std::vector<DiagSocket>> listening_sockets(std::optional<std::uint16_t> port) {
  DiagFilter filter{state_bit(TcpState::listen), {}};
  if (port) filter.local_ports.push_back(*port);
  for (int walk = 1;; ++walk) {
    std::vector<DiagSocket> result;
    const Result<void> walked =
        walk_tcp_sockets(filter, [&](const DiagSocket& socket) { result.push_back(socket); });
    if (walked) return result;
    if (walk == kWalks || !worth_another_walk(walked.error())) {
      return tl::unexpected(walked.error());
    }
  }
}

}  // namespace ua
