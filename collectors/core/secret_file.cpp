// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"

namespace ua {
namespace {

constexpr std::size_t kMaxSecret = 64UL * 1024;

struct Opened {
  UniqueFd fd;
  struct stat status {};
};

Result<Opened> open_regular(const std::filesystem::path& path) {
  Opened result;
  // O_NONBLOCK: opening a FIFO without a writer would wait for ever.
  result.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!result.fd) return fail("cannot open " + path.string() + ": " + errno_text(errno), errno);
  if (fstat(result.fd.get(), &result.status) != 0) return fail(errno_text(errno), errno);
  if (!S_ISREG(result.status.st_mode))
    return fail(path.string() + " is not a regular file", EINVAL);
  return result;
}

Result<std::string> read_all(int fd, const std::filesystem::path& path, std::size_t max_bytes) {
  std::string content;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail("cannot read " + path.string() + ": " + errno_text(errno), errno);
    if (size == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(size));
    if (content.size() > max_bytes) {
      return fail(path.string() + " is larger than " + std::to_string(max_bytes) + " bytes", EFBIG);
    }
  }
}

Result<Opened> open_private(const std::filesystem::path& path) {
  Result<Opened> opened = open_regular(path);
  if (!opened) return opened;
  if ((opened->status.st_mode & 077U) != 0) {
    return fail(path.string() + " can be read by others; run chmod 600 " + path.string(), EPERM);
  }
  if (opened->status.st_uid != 0 && opened->status.st_uid != geteuid()) {
    return fail(path.string() + " belongs to another user; it must be root's or this user's",
                EPERM);
  }
  return opened;
}

}  // namespace

Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Result<Opened> opened = open_regular(path);
  if (!opened) return tl::unexpected(opened.error());
  return read_all(opened->fd.get(), path, max_bytes);
}

Result<std::string> read_private_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Result<Opened> opened = open_private(path);
  if (!opened) return tl::unexpected(opened.error());
  return read_all(opened->fd.get(), path, max_bytes);
}

Result<std::string> read_secret_file(const std::filesystem::path& path) {
  const Result<Opened> opened = open_private(path);
  if (!opened) return tl::unexpected(opened.error());
  Result<std::string> content = read_all(opened->fd.get(), path, kMaxSecret);
  if (!content) return content;
  while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) {
    content->pop_back();
  }
  if (content->empty()) return fail(path.string() + " is empty", EINVAL);
  if (content->find_first_of(std::string("\n\r\0", 3)) != std::string::npos) {
    return fail(path.string() + " has more than one line", EINVAL);
  }
  return content;
}

}  // namespace ua
