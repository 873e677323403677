// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/curl/curl_pool.h"

#include <utility>

namespace ua {
namespace {

constexpr Duration kUnusedKept = 1h;

Roots not_read(const std::string& ca_file) {
  return fail((ca_file.empty() ? "the system's root certificates" : ca_file) +
              " could not be read within a second: is it on a file system that hangs?");
}

}  // namespace

CurlPool::CurlPool(Loop& loop, Worker& files)
    : loop_(loop), files_(files), plain_(std::make_shared<CurlMulti>(loop, nullptr)) {}

void CurlPool::trusting(const std::string& ca_file, const Then& then) {
  const Time now = loop_.now();
  auto found = by_file_.find(ca_file);
  if (found == by_file_.end()) {
    forget_unused(now);
    found =
        by_file_.emplace(ca_file, Entry{FreshRead<Roots>(not_read(ca_file)), {}, {}, now}).first;
  }
  Entry& entry = found->second;
  entry.asked = now;
  const auto read = [ca_file, known = entry.roots.last()] {
    return read_root_certificates(ca_file, known);
  };
  entry.roots.get(files_, now, read,
                  [this, ca_file, then](const Roots& roots) { then(multi_for(ca_file, roots)); });
}

CurlPool::Trusting CurlPool::multi_for(const std::string& ca_file, const Roots& roots) {
  if (!roots) return tl::unexpected(roots.error());
  Entry& entry = by_file_.at(ca_file);
  if (entry.multi == nullptr || entry.stamp != (*roots)->stamp) {
    entry.multi = std::make_shared<CurlMulti>(loop_, *roots);
    entry.stamp = (*roots)->stamp;
  }
  return entry.multi;
}

void CurlPool::forget_unused(Time now) {
  std::erase_if(by_file_,
                [now](const auto& entry) { return now - entry.second.asked > kUnusedKept; });
}

}  // namespace ua
