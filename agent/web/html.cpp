// SPDX-License-Identifier: Apache-2.0
#include "agent/web/html.h"

#include "agent/show_time.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxText = 2000;

}  // namespace

std::string html_escape(std::string_view bytes) {
  std::string result;
  for (const char c : escape_line(bytes, kMaxText)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string time_ago(WallTime now, WallTime then) {
  return "<time datetime=\"" + iso_date(then) + "\" title=\"" + show_date(then) + "\">" +
         show_age(now, then) + "</time>";
}

}  // namespace ua
