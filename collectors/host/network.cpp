// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/network.h"

#include <algorithm>
#include <array>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxInterfaces = 64;
constexpr std::size_t kColumns = 12;  // of these, four for each direction

/// A direction has bytes, packets, errs and drop in its first columns.
std::optional<InterfaceCounters> read_counters(const std::vector<std::string_view>& fields,
                                               std::size_t first) {
  const auto bytes = number<std::uint64_t>(fields[first]);
  const auto packets = number<std::uint64_t>(fields[first + 1]);
  const auto errors = number<std::uint64_t>(fields[first + 2]);
  const auto drops = number<std::uint64_t>(fields[first + 3]);
  if (!bytes || !packets || !errors || !drops) return std::nullopt;
  return InterfaceCounters{*bytes, *packets, *errors, *drops};
}

}  // namespace

Result<Interfaces> parse_interfaces(std::string_view dev) {
  constexpr std::size_t kSent = 8;
  Interfaces result;
  for (const std::string_view line : split(dev, '\n')) {
    const std::size_t colon = line.find(':');  // no name has one
    if (colon == std::string_view::npos) continue;
    const auto fields = words(line.substr(colon + 1));
    if (fields.size() < kColumns) continue;
    const auto received = read_counters(fields, 0);
    const auto sent = read_counters(fields, kSent);
    const std::string_view name = trim(line.substr(0, colon));
    if (!received || !sent || name.empty()) continue;
    result.emplace_back(escape_line(name, 64), Interface{*received, *sent});
  }
  if (result.empty()) return fail("/proc/net/dev: no interface");
  return result;
}

bool is_of_a_guest(std::string_view interface) {
  static constexpr std::array<std::string_view, 8> kPrefixes{"veth", "cali", "lxc", "tap",
                                                             "vnet", "azv",  "gke", "eni"};
  if (interface.starts_with("lxcbr")) return false;
  if (interface.starts_with("tap") && number<std::uint16_t>(interface.substr(3))) return false;
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return interface.starts_with(prefix); });
}

Network choose_interfaces(const Interfaces& interfaces, const std::set<std::string>& shown) {
  Network result;
  for (const bool already : {true, false}) {
    for (const auto& [name, counters] : interfaces) {
      if (shown.contains(name) != already || is_of_a_guest(name)) continue;
      if (result.interfaces.size() < kMaxInterfaces) result.interfaces.emplace(name, counters);
    }
  }
  result.left_out = interfaces.size() - result.interfaces.size();
  return result;
}

Result<void> NetworkSampler::sample(HostSnapshot& into) {
  const auto interfaces = read_proc_file(path_).and_then(parse_interfaces);
  if (!interfaces) return tl::unexpected(interfaces.error());
  into.network = choose_interfaces(*interfaces, shown_);
  shown_.clear();
  for (const auto& [name, counters] : into.network->interfaces) shown_.insert(name);
  return {};
}

}  // namespace ua
