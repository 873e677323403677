// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/nss.h"

#include <netdb.h>

#include <cstring>
#include <memory>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxAddresses = 64;

int family_of(IpProtocol protocol) {
  if (protocol == IpProtocol::v4) return AF_INET;
  return protocol == IpProtocol::v6 ? AF_INET6 : AF_UNSPEC;
}

/// The sources of one line "hosts: files [NOTFOUND=return] dns"; actions may hold blanks.
bool line_names_others(std::string_view sources) {
  std::string word;
  bool action = false;
  bool others = false;
  const auto end_word = [&] {
    others = others || (!word.empty() && word != "files" && word != "dns");
    word.clear();
  };
  for (const char c : sources) {
    if (c == '[' || c == ' ' || c == '\t' || c == ']') {
      end_word();
      action = c == '[' || (action && c != ']');
    } else if (!action) {
      word += c;
    }
  }
  end_word();
  return others;
}

}  // namespace

bool names_other_sources(std::string_view nsswitch) {
  for (std::string_view line : split(nsswitch, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    constexpr std::string_view kKey = "hosts";
    if (!line.starts_with(kKey)) continue;
    line = trim(line.substr(kKey.size()));
    if (line.starts_with(':')) return line_names_others(line.substr(1));
  }
  return false;
}

std::vector<Endpoint> nss_addresses(const std::string& name, IpProtocol protocol) {
  addrinfo hints{};
  hints.ai_family = family_of(protocol);
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  std::vector<Endpoint> addresses;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return addresses;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> hold(list, &freeaddrinfo);
  for (; list != nullptr && addresses.size() < kMaxAddresses; list = list->ai_next) {
    Endpoint endpoint;
    if (list->ai_addrlen > sizeof endpoint.storage) continue;
    std::memcpy(&endpoint.storage, list->ai_addr, list->ai_addrlen);
    endpoint.size = list->ai_addrlen;
    addresses.push_back(endpoint);
  }
  return addresses;
}

}  // namespace ua
