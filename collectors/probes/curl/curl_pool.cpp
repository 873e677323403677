// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/curl/curl_pool.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace ua {
namespace {

// Where distributions keep the bundle: Debian, Fedora and EL, SUSE, Alpine.
constexpr std::array<const char*, 4> kBundles{"/etc/ssl/certs/ca-certificates.crt",
                                              "/etc/pki/tls/certs/ca-bundle.crt",
                                              "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
constexpr Duration kUnusedKept = 1h;

/// Changes whenever the file's content may have.
std::string stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "absent";
  return std::to_string(status.st_dev) + '/' + std::to_string(status.st_ino) + '/' +
         std::to_string(status.st_size) + '/' + std::to_string(status.st_mtim.tv_sec) + '.' +
         std::to_string(status.st_mtim.tv_nsec);
}

}  // namespace

CurlPool::CurlPool(Loop& loop) : loop_(loop), plain_(std::make_shared<CurlMulti>(loop, "")) {}

std::string CurlPool::system_bundle() {
  for (const char* bundle : kBundles) {
    if (access(bundle, R_OK) == 0) return bundle;
  }
  return {};
}

std::shared_ptr<CurlMulti> CurlPool::trusting(const std::string& ca_file) {
  const Time now = loop_.now();
  const auto known = by_file_.find(ca_file);
  if (known != by_file_.end() && now - known->second.checked < 1s) return known->second.multi;
  if (known == by_file_.end()) forget_unused(now);
  Entry& entry = by_file_[ca_file];
  std::string stamp = stamp_of(ca_file);
  if (entry.multi == nullptr || entry.stamp != stamp) {
    entry.multi = std::make_shared<CurlMulti>(loop_, ca_file);
    entry.stamp = std::move(stamp);
  }
  entry.checked = now;
  return entry.multi;
}

void CurlPool::forget_unused(Time now) {
  std::erase_if(by_file_,
                [now](const auto& entry) { return now - entry.second.checked > kUnusedKept; });
}

}  // namespace ua
