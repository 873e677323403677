// SPDX-License-Identifier: Apache-2.0
// What the kernel answers to sock_diag: netlink messages. The first byte tells whether the rest is
// those bytes, or what to build proper messages of.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include <cstring>
#include <vector>

#include "collectors/core/sock_diag.h"
#include "collectors/host/connections.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

struct Answer {
  std::vector<DiagSocket> sockets;
  Result<bool> more;
};

Answer read(std::string_view bytes) {
  Answer answer;
  // A copy of exactly this size, so that a sanitizer sees a read past its end.
  const std::vector<char> copy(bytes.begin(), bytes.end());
  answer.more = read_diag_messages({copy.data(), copy.size()}, [&](const DiagSocket& socket) {
    answer.sockets.push_back(socket);
  });
  return answer;
}

bool same(const DiagSocket& a, const DiagSocket& b) {
  return a.family == b.family && a.state == b.state && a.mini == b.mini && a.local == b.local &&
         a.local_port == b.local_port && a.receive_queue == b.receive_queue &&
         a.send_queue == b.send_queue && a.v6_only == b.v6_only && a.uid == b.uid &&
         a.inode == b.inode;
}

void check_raw(std::string_view bytes) {
  const Answer whole = read(bytes);
  expect(whole.sockets.size() <= bytes.size() / (sizeof(nlmsghdr) + sizeof(inet_diag_msg)),
         "a socket takes its bytes");
  if (!whole.more) expect(is_printable_line(whole.more.error().message), "a message is printable");
  ConnectionCount count(ports_apart({.watched = {80}}, whole.sockets));
  for (const DiagSocket& socket : whole.sockets) count.add(socket);
  const Answer part = read(bytes.substr(0, bytes.size() / 2));
  expect(part.sockets.size() <= whole.sockets.size(), "half the bytes have no more sockets");
  for (std::size_t i = 0; i < part.sockets.size(); ++i) {
    expect(same(part.sockets[i], whole.sockets[i]), "half the bytes have the first sockets");
  }
}

template <typename T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_message(std::string& bytes, std::uint16_t type, std::string_view payload) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + payload.size());
  append(bytes, header);
  bytes += payload;
  bytes.resize(NLMSG_ALIGN(bytes.size()));
}

void append_attribute(std::string& payload, std::uint16_t type, std::string_view value) {
  rtattr attribute{};
  attribute.rta_type = type;
  attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(value.size()));
  append(payload, attribute);
  payload += value;
  payload.resize(RTA_ALIGN(payload.size()));
}

DiagSocket make_socket(Input& input, std::string& bytes) {
  inet_diag_msg message{};
  message.idiag_family = input.coin() ? AF_INET6 : AF_INET;
  message.idiag_state = static_cast<std::uint8_t>(1 + input.below(kTcpStateCount));
  message.idiag_timer = static_cast<std::uint8_t>(input.below(5));
  message.id.idiag_sport = static_cast<std::uint16_t>(input.word());
  message.id.idiag_src[0] = static_cast<std::uint32_t>(input.word());
  message.idiag_rqueue = input.byte();
  message.idiag_wqueue = input.byte();
  message.idiag_uid = input.byte();
  message.idiag_inode = input.byte();
  std::string payload;
  append(payload, message);
  const bool v6_only = input.coin();
  append_attribute(payload, INET_DIAG_MAX, input.text());  // one that we do not read
  append_attribute(payload, INET_DIAG_SKV6ONLY, std::string_view(v6_only ? "\1" : "\0", 1));
  append_message(bytes, SOCK_DIAG_BY_FAMILY, payload);
  DiagSocket result;
  result.family = message.idiag_family;
  result.state = static_cast<TcpState>(message.idiag_state);
  result.mini = message.idiag_timer == 3;
  std::memcpy(result.local.data(), message.id.idiag_src, result.local.size());
  result.local_port = ntohs(message.id.idiag_sport);
  result.receive_queue = message.idiag_rqueue;
  result.send_queue = message.idiag_wqueue;
  result.v6_only = v6_only && result.state == TcpState::listen && result.family == AF_INET6;
  result.uid = message.idiag_uid;
  result.inode = message.idiag_inode;
  return result;
}

void check_built(Input input) {
  std::string bytes;
  std::vector<DiagSocket> made;
  for (std::size_t i = input.below(8); i > 0; --i) made.push_back(make_socket(input, bytes));
  const bool ends = input.coin();
  const int error = ends ? -static_cast<int>(input.below(100)) : 0;
  std::string payload;
  append(payload, error);
  if (ends) append_message(bytes, NLMSG_DONE, payload);
  const Answer answer = read(bytes);
  expect(answer.sockets.size() == made.size(), "every socket is visited once");
  for (std::size_t i = 0; i < made.size(); ++i) {
    expect(same(answer.sockets[i], made[i]), "a socket is read as it was made");
  }
  expect(answer.more.has_value() == (error == 0), "an error at the end is one");
  if (answer.more) expect(*answer.more != ends, "the end is seen");
  if (!answer.more) expect(answer.more.error().code == -error, "an error has its number");
}

}  // namespace

void sock_diag(std::string_view bytes) {
  Input input(bytes);
  if (input.coin()) {
    check_built(input);
  } else {
    check_raw(input.rest());
  }
}

}  // namespace ua::fuzz
