// SPDX-License-Identifier: Apache-2.0
#include "agent/web/router.h"

#include <algorithm>
#include <array>

namespace ua {
namespace {

constexpr std::array<RouteRow, 5> kRows{{{"/metrics", Page::metrics, false},
                                         {"/-/healthy", Page::healthy, false},
                                         {"/-/ready", Page::ready, false},
                                         {"/-/reload", Page::reload, true},
                                         {"/", Page::status, false}}};

constexpr std::array<std::string_view, 9> kMethods{"GET",     "HEAD",  "POST",  "PUT",    "DELETE",
                                                   "OPTIONS", "PATCH", "TRACE", "CONNECT"};

}  // namespace

std::span<const RouteRow> route_rows() { return kRows; }

Route find_route(std::string_view method, std::string_view path) {
  Route route;
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [path](const RouteRow& candidate) {
    return candidate.path == path;
  });
  if (row != kRows.end()) {
    route.page = row->page;
    route.handler = row->path;
  }
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    route.refusal = 501;
  } else if (row == kRows.end()) {
    route.refusal = 404;
  } else {
    const bool fits =
        row->changes_something ? method == "POST" : method == "GET" || method == "HEAD";
    if (!fits) {
      route.refusal = 405;
      route.allow = row->changes_something ? "POST" : "GET, HEAD";
    }
  }
  return route;
}

bool is_public(Page page) {
  return page == Page::metrics || page == Page::healthy || page == Page::ready;
}

}  // namespace ua
