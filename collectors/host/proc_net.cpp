// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/proc_net.h"

#include <cerrno>
#include <fstream>
#include <string>

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {
namespace {

using Fields = std::vector<std::string_view>;

/// /proc/net/sockstat: "TCP: inuse 4 orphan 0 tw 2".
std::optional<std::uint64_t> paired_value(std::string_view content, std::string_view protocol,
                                          std::string_view name) {
  for (const std::string_view line : split(content, '\n')) {
    if (!line.starts_with(protocol)) continue;
    const Fields fields = words(line);
    for (std::size_t i = 1; i + 1 < fields.size(); i += 2) {
      if (fields[i] == name) return number<std::uint64_t>(fields[i + 1]);
    }
  }
  return std::nullopt;
}

std::string_view after_colon(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
}

Result<void> walk_table(const std::filesystem::path& path,
                        const std::function<void(const DiagSocket&)>& visit) {
  std::ifstream file(path);
  if (!file) return fail("cannot read " + path.string(), ENOENT);
  std::string line;
  while (std::getline(file, line)) {
    if (const auto socket = parse_tcp_line(line)) visit(*socket);
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> named_value(std::string_view content, std::string_view protocol,
                                         std::string_view name) {
  Fields names;
  for (const std::string_view line : split(content, '\n')) {
    if (!line.starts_with(protocol)) continue;
    const Fields fields = words(line);
    if (names.empty()) {
      names = fields;
      continue;
    }
    for (std::size_t i = 1; i < names.size() && i < fields.size(); ++i) {
      if (names[i] == name) return number<std::uint64_t>(fields[i]);
    }
  }
  return std::nullopt;
}

std::optional<TcpTotals> parse_tcp_totals(std::string_view snmp, std::string_view sockstat) {
  const auto established = named_value(snmp, "Tcp:", "CurrEstab");
  const auto time_wait = paired_value(sockstat, "TCP:", "tw");
  if (!established || !time_wait) return std::nullopt;
  return TcpTotals{*established, *time_wait};
}

std::optional<DiagSocket> parse_tcp_line(std::string_view line) {
  const Fields fields = words(line);
  if (fields.size() < 10) return std::nullopt;
  const auto port = number<std::uint16_t>(after_colon(fields[1]), 16);
  const auto state = number<std::uint8_t>(fields[3], 16);
  const auto receive_queue = number<std::uint32_t>(after_colon(fields[4]), 16);
  if (!port || !state || !receive_queue || *state == 0 || *state > kTcpStateCount) {
    return std::nullopt;
  }
  DiagSocket result;
  result.state = static_cast<TcpState>(*state);
  result.local_port = *port;
  result.receive_queue = *receive_queue;
  result.uid = number<std::uint32_t>(fields[7]).value_or(0);
  result.inode = number<std::uint32_t>(fields[9]).value_or(0);
  return result;
}

Result<void> walk_proc_tcp(const std::filesystem::path& net,
                           const std::function<void(const DiagSocket&)>& visit) {
  if (Result<void> v4 = walk_table(net / "tcp", visit); !v4) return v4;
  std::error_code ignored;
  if (!std::filesystem::exists(net / "tcp6", ignored)) return {};  // a kernel without IPv6
  return walk_table(net / "tcp6", visit);
}

}  // namespace ua
