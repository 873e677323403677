// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "collectors/core/unique_fd.h"

namespace ua {
namespace {

constexpr std::size_t kReceiveBuffer = 64 * 1024;  // below 32 KiB the kernel cuts answers short
constexpr timeval kPatience{2, 0};

std::string reason(int error) { return std::generic_category().message(error); }

struct Request {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
  rtattr attribute{};
  std::array<inet_diag_bc_op, 4> filter{};
};

/// Two conditions in the kernel's filter language: local port >= p and local port <= p.
void set_port_filter(Request& request, std::uint16_t port) {
  constexpr std::uint16_t kReject = 20;  // jumps past the end of the 16 bytes: no match
  request.filter[0] = {INET_DIAG_BC_S_GE, 8, kReject};
  request.filter[1] = {0, 0, port};
  request.filter[2] = {INET_DIAG_BC_S_LE, 8, kReject - 8};
  request.filter[3] = {0, 0, port};
  request.attribute.rta_type = INET_DIAG_REQ_BYTECODE;
  request.attribute.rta_len = RTA_LENGTH(sizeof request.filter);
}

Result<void> send_request(int fd, int family, const DiagFilter& filter) {
  Request request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<std::uint8_t>(family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = filter.states;
  std::size_t size = offsetof(Request, attribute);
  if (filter.local_port) {
    set_port_filter(request, *filter.local_port);
    size = sizeof request;
  }
  request.header.nlmsg_len = static_cast<std::uint32_t>(size);
  if (send(fd, &request, size, 0) < 0) return fail("sock_diag: " + reason(errno), errno);
  return {};
}

DiagSocket to_socket(const inet_diag_msg& message) {
  DiagSocket result;
  result.family = message.idiag_family;
  result.state = static_cast<TcpState>(message.idiag_state);
  std::memcpy(result.local.data(), message.id.idiag_src, result.local.size());
  result.local_port = ntohs(message.id.idiag_sport);
  result.receive_queue = message.idiag_rqueue;
  result.send_queue = message.idiag_wqueue;
  result.uid = message.idiag_uid;
  result.inode = message.idiag_inode;
  return result;
}

/// @return whether the dump goes on
Result<bool> take_messages(char* data, std::size_t size,
                           const std::function<void(const DiagSocket&)>& visit) {
  auto left = static_cast<unsigned>(size);
  for (auto* h = reinterpret_cast<nlmsghdr*>(data); NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
    if (h->nlmsg_type == NLMSG_DONE) return false;
    if (h->nlmsg_type == NLMSG_ERROR) {
      const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(h));
      return fail("sock_diag: " + reason(-error->error), -error->error);
    }
    if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
    visit(to_socket(*static_cast<const inet_diag_msg*>(NLMSG_DATA(h))));
  }
  return true;
}

Result<void> dump(int family, const DiagFilter& filter,
                  const std::function<void(const DiagSocket&)>& visit) {
  const UniqueFd fd(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd) return fail("sock_diag: " + reason(errno), errno);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (Result<void> sent = send_request(fd.get(), family, filter); !sent) return sent;
  std::vector<char> buffer(kReceiveBuffer);
  for (;;) {
    const ssize_t size = recv(fd.get(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail("sock_diag: " + reason(errno), errno);
    if (static_cast<std::size_t>(size) > buffer.size()) {
      return fail("sock_diag: an answer was cut short", EMSGSIZE);
    }
    const Result<bool> more = take_messages(buffer.data(), static_cast<std::size_t>(size), visit);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
  }
}

}  // namespace

std::string_view name(TcpState state) {
  static constexpr std::array<std::string_view, kTcpStateCount + 1> kNames{
      "unknown",   "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2",
      "time_wait", "close",       "close_wait", "last_ack", "listen",    "closing"};
  const auto index = static_cast<std::size_t>(state);
  return kNames[index < kNames.size() ? index : 0];
}

Result<void> walk_tcp_sockets(const DiagFilter& filter,
                              const std::function<void(const DiagSocket&)>& visit) {
  if (Result<void> v4 = dump(AF_INET, filter, visit); !v4) return v4;
  Result<void> v6 = dump(AF_INET6, filter, visit);
  if (!v6 && v6.error().code == ENOENT) return {};  // a kernel without IPv6
  return v6;
}

Result<std::vector<DiagSocket>> listening_sockets(std::optional<std::uint16_t> port) {
  std::vector<DiagSocket> result;
  const DiagFilter filter{1U << static_cast<unsigned>(TcpState::listen), port};
  Result<void> walked =
      walk_tcp_sockets(filter, [&](const DiagSocket& socket) { result.push_back(socket); });
  if (!walked) return tl::unexpected(walked.error());
  return result;
}

}  // namespace ua
