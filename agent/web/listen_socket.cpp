// SPDX-License-Identifier: Apache-2.0
#include "agent/web/listen_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/net/endpoint.h"

namespace ua {
namespace {

/// One who finds the queue full asks again after a whole second. A longer one would only have to be
/// worked off.
constexpr int kBacklog = 1024;

Result<ListenSocket> listen_on(const Endpoint& endpoint, bool dual_stack, std::string_view said) {
  ListenSocket result;
  result.fd.reset(socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!result.fd)
    return fail("cannot listen on " + std::string(said) + ": " + errno_text(errno), errno);
  const int on = 1;
  const int off = 0;
  if (endpoint.family() != AF_UNIX) {
    setsockopt(result.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (endpoint.family() == AF_INET6) {
    setsockopt(result.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? &off : &on, sizeof on);
  }
  if (bind(result.fd.get(), endpoint.address(), endpoint.size) != 0 ||
      listen(result.fd.get(), kBacklog) != 0) {
    const int error = errno;
    std::string hint;
    if (error == EADDRINUSE) hint = "; choose another with --web.listen-address";
    return fail("cannot listen on " + std::string(said) + ": " + errno_text(error) + hint, error);
  }
  Endpoint bound;
  bound.size = sizeof bound.storage;
  getsockname(result.fd.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  result.text = endpoint.family() == AF_UNIX ? "unix:" + bound.text() : bound.text();
  return result;
}

/// A socket that nobody serves. Anything but a socket stays.
bool is_left_behind(const std::string& path, const Endpoint& endpoint) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd && connect(fd.get(), endpoint.address(), endpoint.size) != 0 && errno == ECONNREFUSED;
}

Result<ListenSocket> listen_unix(std::string_view path, std::string_view said) {
  const auto endpoint = unix_endpoint(path);
  if (!endpoint) return fail("the socket's path is empty or longer than 107 bytes");
  const std::string name(path);
  if (is_left_behind(name, *endpoint)) ::unlink(name.c_str());
  Result<ListenSocket> result = listen_on(*endpoint, false, said);
  if (result) result->file = UnixSocketFile(name);
  return result;
}

}  // namespace

UnixSocketFile::UnixSocketFile(std::string path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return;
  path_ = std::move(path);
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

UnixSocketFile::UnixSocketFile(UnixSocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

UnixSocketFile& UnixSocketFile::operator=(UnixSocketFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

UnixSocketFile::~UnixSocketFile() {
  struct stat status {};
  const bool ours = !path_.empty() && lstat(path_.c_str(), &status) == 0 &&
                    status.st_dev == device_ && status.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
}

Result<ListenSocket> open_listen_socket(const ListenAddress& address) {
  if (!address.unix_path.empty()) return listen_unix(address.unix_path, address.text);
  if (address.host.empty()) {
    Result<ListenSocket> both = listen_on(*ip_endpoint("::", address.port), true, address.text);
    const bool no_ipv6 =
        !both && (both.error().code == EAFNOSUPPORT || both.error().code == EADDRNOTAVAIL);
    return no_ipv6 ? listen_on(*ip_endpoint("0.0.0.0", address.port), false, address.text)
                   : std::move(both);
  }
  const auto endpoint = ip_endpoint(address.host, address.port);
  if (!endpoint) return fail("cannot listen on " + address.text + ": the host is no address");
  return listen_on(*endpoint, false, address.text);
}

}  // namespace ua
