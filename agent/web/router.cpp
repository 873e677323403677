// SPDX-License-Identifier: Apache-2.0
#include "agent/web/router.h"

#include <algorithm>
#include <array>

namespace ua {
namespace {

constexpr std::array<RouteRow, 7> kRows{{{"/metrics", Page::metrics, false, false},
                                         {"/-/healthy", Page::healthy, false, false},
                                         {"/-/ready", Page::ready, false, false},
                                         {"/-/reload", Page::reload, true, false},
                                         {"/", Page::status, false, false},
                                         {"/config", Page::config, false, false},
                                         {"/api/v1/upstreams", Page::upstreams, false, true}}};

constexpr std::array<std::string_view, 9> kMethods{"GET",     "HEAD",  "POST",  "PUT",    "DELETE",
                                                   "OPTIONS", "PATCH", "TRACE", "CONNECT"};

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

/// RFC 3986, section 2.1; nullopt for a '%' without two digits.
std::optional<std::string> unescape(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    if (text.front() != '%') {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto high = text.size() > 2 ? hex_digit(text[1]) : std::nullopt;
    const auto low = text.size() > 2 ? hex_digit(text[2]) : std::nullopt;
    if (!high || !low) return std::nullopt;
    result += static_cast<char>(*high << 4U | *low);
    text.remove_prefix(3);
  }
  return result;
}

std::optional<std::string> name_below(const RouteRow& row, std::string_view path) {
  if (!row.takes_name || !path.starts_with(row.path)) return std::nullopt;
  path.remove_prefix(row.path.size());
  if (path.size() < 2 || path.front() != '/') return std::nullopt;
  return unescape(path.substr(1));
}

/// The page and the name, without regard to the method.
Route route_of(std::string_view path) {
  Route route;
  for (const RouteRow& row : kRows) {
    if (row.path != path) route.name = name_below(row, path);
    if (row.path != path && !route.name) continue;
    route.page = row.page;
    route.handler = row.path;
    break;
  }
  return route;
}

bool changes_something(Page page) {
  return std::any_of(kRows.begin(), kRows.end(), [page](const RouteRow& row) {
    return row.page == page && row.changes_something;
  });
}

}  // namespace

std::span<const RouteRow> route_rows() { return kRows; }

Route find_route(std::string_view method, std::string_view path) {
  Route route = route_of(path);
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    route.refusal = 501;
  } else if (route.page == Page::none) {
    route.refusal = 404;
  } else {
    const bool post = changes_something(route.page);
    const bool fits = post ? method == "POST" : method == "GET" || method == "HEAD";
    if (!fits) {
      route.refusal = 405;
      route.allow = post ? "POST" : "GET, HEAD";
    }
  }
  return route;
}

bool is_public(Page page) {
  return page == Page::metrics || page == Page::healthy || page == Page::ready;
}

}  // namespace ua
