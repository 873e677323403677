// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/routes.h"

#include <linux/route.h>

#include <cerrno>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {
namespace {

constexpr std::size_t kMaxRoutes = std::size_t{64} * 1024;
constexpr std::size_t kFlagsV4 = 3;
constexpr std::size_t kFlagsV6 = 8;

bool leads_out(std::string_view flags) {
  const auto value = number<std::uint32_t>(flags, 16);
  return value && (*value & RTF_UP) != 0 && (*value & RTF_REJECT) == 0;
}

bool is_default_v4(const std::vector<std::string_view>& fields) {
  return fields.size() >= 8 && fields[1] == "00000000" && fields[7] == "00000000" &&
         leads_out(fields[kFlagsV4]);
}

/// Every kernel has a rejecting entry for ::/0 on lo.
bool is_default_v6(const std::vector<std::string_view>& fields) {
  return fields.size() >= 10 && fields[1] == "00" && fields[9] != "lo" &&
         fields[0].find_first_not_of('0') == std::string_view::npos && leads_out(fields[kFlagsV6]);
}

}  // namespace

bool has_default_route(std::string_view route, std::string_view ipv6_route) {
  for (const std::string_view line : split(route, '\n')) {
    if (is_default_v4(words(line))) return true;
  }
  for (const std::string_view line : split(ipv6_route, '\n')) {
    if (is_default_v6(words(line))) return true;
  }
  return false;
}

bool read_has_default_route(const std::filesystem::path& proc) {
  const auto v4 = read_regular_file(proc / "net" / "route", kMaxRoutes);
  const auto v6 = read_regular_file(proc / "net" / "ipv6_route", kMaxRoutes);
  if (!v4) return true;
  if (!v6 && v6.error().code != ENOENT) return true;  // no such file: a kernel without IPv6
  return has_default_route(*v4, v6.value_or(""));
}

}  // namespace ua
