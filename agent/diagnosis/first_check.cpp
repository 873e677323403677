// SPDX-License-Identifier: Apache-2.0
#include "agent/diagnosis/first_check.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ua {

std::string shell_quote(std::string_view value) {
  constexpr std::string_view kPlain = "_@%+=:,./-";
  const bool plain = !value.empty() && value[0] != '-' &&
                     std::all_of(value.begin(), value.end(), [&](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || kPlain.find(c) != std::string_view::npos;
                     });
  if (plain) return std::string(value);
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + '\'';
}

std::string fill_command(const ErrorClassInfo& error_class, const Target& target,
                         std::string_view service) {
  const bool network = !target.is_unix();
  const std::array<std::pair<std::string_view, std::string>, 6> values{{
      {"{host}", network ? shell_quote(target.host) : "localhost"},
      {"{port}", network ? std::to_string(target.port) : "0"},
      {"{address}", shell_quote(target.authority())},
      {"{path}", network ? "SOCKET" : shell_quote(target.unix_path)},
      {"{url}", shell_quote(target.label)},
      {"{service}", service.empty() ? "YOUR-SERVICE" : shell_quote(service)},
  }};
  std::string result;
  std::string_view rest = error_class.command;
  while (!rest.empty()) {
    const auto* const hit = std::find_if(values.begin(), values.end(), [&](const auto& value) {
      return rest.starts_with(value.first);
    });
    if (hit != values.end()) {
      result += hit->second;
      rest.remove_prefix(hit->first.size());
    } else {
      result += rest.front();
      rest.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace ua
