// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/curl/root_certificates.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxFile = 16UL << 20;

// Where distributions keep the bundle: Debian, Fedora and EL, SUSE, Alpine.
constexpr std::array<const char*, 4> kBundles{"/etc/ssl/certs/ca-certificates.crt",
                                              "/etc/pki/tls/certs/ca-bundle.crt",
                                              "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

std::string system_bundle() {
  for (const char* bundle : kBundles) {
    if (access(bundle, R_OK) == 0) return bundle;
  }
  return {};
}

std::string stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_dev) + '/' + std::to_string(status.st_ino) + '/' +
         std::to_string(status.st_size) + '/' + std::to_string(status.st_mtim.tv_sec) + '.' +
         std::to_string(status.st_mtim.tv_nsec);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

std::string RootCertificates::path() const {
  return "/proc/self/fd/" + std::to_string(content.get());
}

Roots read_root_certificates(const std::string& file, const Roots& known) {
  const std::string path = file.empty() ? system_bundle() : file;
  if (path.empty()) {
    return fail("no root certificates here: install ca-certificates, or set tls.ca_file");
  }
  std::string stamp = stamp_of(path);
  if (known && *known != nullptr && !stamp.empty() && (*known)->stamp == stamp) return known;
  const Result<std::string> text = read_regular_file(path, kMaxFile);
  if (!text) return tl::unexpected(text.error());
  UniqueFd content(::memfd_create("root-certificates", MFD_CLOEXEC));
  if (!content || !write_all(content.get(), *text)) {
    return fail("no memory for root certificates: " + errno_text(errno));
  }
  return std::make_shared<const RootCertificates>(
      RootCertificates{std::move(stamp), std::move(content)});
}

}  // namespace ua
