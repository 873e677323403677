// SPDX-License-Identifier: Apache-2.0
// Which page a request means. Pure, so that it is a table in a test.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ua {

enum class Page : std::uint8_t { none, metrics, healthy, ready, reload, status, config, upstreams };

struct Route {
  Page page = Page::none;
  std::string_view handler = "other";  ///< value of the label `handler`: the path, or "other"
  unsigned refusal = 0;                ///< 404, 405 or 501; 0 where the page answers
  std::string_view allow;              ///< of a 405: the header's value
  /// What follows the path of a page that takes a name, its escapes resolved: any bytes.
  std::optional<std::string> name;
};

struct RouteRow {
  std::string_view path;
  Page page;
  bool changes_something;  ///< POST; the others take GET and HEAD
  bool takes_name;         ///< also answers below its path: /path/NAME
};
/// All pages.
std::span<const RouteRow> route_rows();

/// @param path as it was sent, without the query and not unescaped: it must match exactly, but for
/// a name at its end
Route find_route(std::string_view method, std::string_view path);

/// /metrics and the health checks answer to everyone, the others to this host.
bool is_public(Page page);

}  // namespace ua
