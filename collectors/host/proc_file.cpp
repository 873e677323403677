// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/proc_file.h"

#include <algorithm>

#include "collectors/core/secret_file.h"

namespace ua {
namespace {

constexpr std::size_t kMaxProcFile = 8 << 20;  // /proc/stat of 4096 processors takes 1 MiB

}  // namespace

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    result.push_back(line.substr(at, end - at));
    at = end;
  }
  return result;
}

Result<std::string> read_proc_file(const std::filesystem::path& path) {
  return read_regular_file(path, kMaxProcFile);
}

Result<void> FileSampler::sample(HostSnapshot& into) {
  const Result<std::string> content = read_proc_file(path_);
  if (!content) return tl::unexpected(content.error());
  return take_(*content, into);
}

}  // namespace ua
