// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/hosts_file.h"

#include <algorithm>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxAddresses = 64;  // of one name

std::string key_of(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return to_lower(name);
}

/// Cuts the first word off.
std::string_view next_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

}  // namespace

HostsFile::HostsFile(std::string_view text) {
  for (std::string_view line : split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const auto endpoint = ip_endpoint(next_word(line), 0);
    if (!endpoint) continue;
    for (auto name = next_word(line); !name.empty(); name = next_word(line)) {
      auto& addresses = entries_[key_of(name)];
      if (addresses.size() < kMaxAddresses) addresses.push_back(*endpoint);
    }
  }
}

std::vector<Endpoint> HostsFile::find(std::string_view name, IpProtocol protocol) const {
  std::vector<Endpoint> result;
  const auto entry = entries_.find(key_of(name));
  if (entry == entries_.end()) return result;
  for (const Endpoint& endpoint : entry->second) {
    const bool v4 = endpoint.family() == AF_INET;
    const bool wanted = protocol == IpProtocol::any || v4 == (protocol == IpProtocol::v4);
    if (wanted) result.push_back(endpoint);
  }
  return result;
}

}  // namespace ua
