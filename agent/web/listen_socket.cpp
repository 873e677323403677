// SPDX-License-Identifier: Apache-2.0
#include "agent/web/listen_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/endpoint.h"

namespace ua {
namespace {

/// One who finds the queue full asks again after a whole second. A longer one would only have to be
/// worked off.
constexpr int kBacklog = 1024;

std::string reason(int error) { return std::generic_category().message(error); }

Result<ListenSocket> listen_on(const Endpoint& endpoint, bool dual_stack, std::string_view said) {
  ListenSocket result;
  result.fd.reset(socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!result.fd)
    return fail("cannot listen on " + std::string(said) + ": " + reason(errno), errno);
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
    return fail("cannot listen on " + std::string(said) + ": " + reason(error) + hint, error);
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

std::optional<std::uint16_t> port_of(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 65535) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(value);
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

Result<ListenSocket> open_listen_socket(std::string_view address) {
  if (address.starts_with("unix:")) return listen_unix(address.substr(5), address);
  const std::string shown = '\'' + escape_line(address, 100) + '\'';
  const std::size_t colon = address.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : port_of(address.substr(colon + 1));
  if (!port) {
    return fail(shown + " is no listen address; write host:port, [v6]:port, :port or unix:/path");
  }
  std::string_view host = address.substr(0, colon);
  if (host.empty()) {
    Result<ListenSocket> both = listen_on(*ip_endpoint("::", *port), true, address);
    const bool no_ipv6 =
        !both && (both.error().code == EAFNOSUPPORT || both.error().code == EADDRNOTAVAIL);
    return no_ipv6 ? listen_on(*ip_endpoint("0.0.0.0", *port), false, address) : std::move(both);
  }
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto endpoint = ip_endpoint(host, *port);
  if (!endpoint) return fail(shown + ": the host must be an address or localhost");
  return listen_on(*endpoint, false, address);
}

}  // namespace ua
