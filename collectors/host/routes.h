// SPDX-License-Identifier: Apache-2.0
// Whether this host has a way out at all, from /proc/net. Any thread; reads at most 64 KiB a file.
#pragma once

#include <filesystem>
#include <string_view>

namespace ua {

/// Whether /proc/net/route or /proc/net/ipv6_route has a default route that is no rejection. Pure.
bool has_default_route(std::string_view route, std::string_view ipv6_route);

/// Yes also where it cannot be told: a missing route excuses an upstream's failure, so it must be
/// certain. A table over 64 KiB is a router's, which has one.
bool read_has_default_route(const std::filesystem::path& proc = "/proc");

}  // namespace ua
