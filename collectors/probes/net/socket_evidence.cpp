// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/socket_evidence.h"

#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace ua {

bool IcmpError::is_rejection() const {
  if (v6) return type == 1 && (code == 1 || code == 4 || code == 5 || code == 6);
  return type == 3 && (code == 3 || code == 9 || code == 10 || code == 13);
}

std::string IcmpError::token() const {
  return (v6 ? "icmp6_" : "icmp_") + std::to_string(type) + '_' + std::to_string(code);
}

void set_icmp_errors(int fd, int family, bool on) {
  const int value = on ? 1 : 0;
  if (family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof value);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value);
}

std::optional<IcmpError> take_icmp_error(int fd) {
  std::array<char, 64> data{};
  alignas(cmsghdr) std::array<char, 512> control{};
  iovec vector{data.data(), data.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    const auto* error = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(c));
    if (error->ee_origin == SO_EE_ORIGIN_ICMP || error->ee_origin == SO_EE_ORIGIN_ICMP6) {
      return IcmpError{error->ee_origin == SO_EE_ORIGIN_ICMP6, error->ee_type, error->ee_code};
    }
  }
  return std::nullopt;
}

TcpEvidence read_tcp_evidence(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  constexpr unsigned kClose = 7;
  constexpr unsigned kCloseWait = 8;
  TcpEvidence result;
  result.known = true;
  result.fin_received = info.tcpi_state == kCloseWait;
  result.reset = info.tcpi_state == kClose;
  result.bytes_acked = info.tcpi_bytes_acked;
  result.bytes_received = info.tcpi_bytes_received;
  result.unacked = info.tcpi_unacked;
  result.retransmits = info.tcpi_retransmits;
  return result;
}

}  // namespace ua
