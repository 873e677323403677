// SPDX-License-Identifier: Apache-2.0
// Real TCP sockets on loopback for tests, and a thread with a network namespace or a seccomp filter
// of its own. Everything ends with its owner.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "collectors/core/unique_fd.h"

namespace ua::test {

inline sockaddr_in6 loopback(int family, std::uint16_t port) {
  sockaddr_in6 result{};
  if (family == AF_INET6) {
    result.sin6_family = AF_INET6;
    result.sin6_addr = in6addr_loopback;
    result.sin6_port = htons(port);
    return result;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v4.sin_port = htons(port);
  std::memcpy(&result, &v4, sizeof v4);
  return result;
}

inline void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string(what) + ": " + std::to_string(errno));
}

/// Listens on a free port.
class Listener {
 public:
  Listener(int family, int backlog) : family_(family), fd_(socket(family, SOCK_STREAM, 0)) {
    sockaddr_in6 address = loopback(family, 0);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    require(bind(fd_.get(), raw, size) == 0, "bind");
    require(listen(fd_.get(), backlog) == 0, "listen");
    require(getsockname(fd_.get(), raw, &size) == 0, "getsockname");
    port_ = ntohs(address.sin6_port);  // the same place in sockaddr_in
  }
  std::uint16_t port() const { return port_; }
  UniqueFd accept() const { return UniqueFd(::accept(fd_.get(), nullptr, nullptr)); }
  /// Whether there was one to accept, and with it closed; does not wait.
  bool accept_now() const {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1 && UniqueFd(::accept(fd_.get(), nullptr, nullptr));
  }
  /// Does not wait for the answer.
  UniqueFd connect() const {
    UniqueFd client(socket(family_, SOCK_STREAM | SOCK_NONBLOCK, 0));
    const sockaddr_in6 address = loopback(family_, port_);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    const int connected = ::connect(client.get(), raw, sizeof address);
    require(connected == 0 || errno == EINPROGRESS, "connect");
    return client;
  }

 private:
  int family_;
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

/// Runs `work` on a thread inside a fresh network namespace with loopback up; /proc/thread-self/net
/// shows it.
/// @return false where this needs privileges that the test does not have
inline bool in_fresh_network(const std::function<void()>& work) {
  bool ran = false;
  std::exception_ptr thrown;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) return;
    ran = true;
    try {
      const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
      ifreq request{};
      std::strcpy(request.ifr_name, "lo");
      request.ifr_flags = IFF_UP;
      require(ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0, "lo up");
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
  return ran;
}

/// Runs `work` on a thread whose socket() fails with `error` for this family.
inline void without_sockets(int family, unsigned error, const std::function<void()>& work) {
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      std::array<sock_filter, 6> code{{
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(family), 0, 1),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      }};
      sock_fprog program{code.size(), code.data()};
      require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
      require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
}

/// As under systemd's RestrictAddressFamilies=AF_INET.
inline void without_netlink(const std::function<void()>& work) {
  without_sockets(AF_NETLINK, EAFNOSUPPORT, work);
}

}  // namespace ua::test
