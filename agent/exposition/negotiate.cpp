// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/negotiate.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace ua {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view strip(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Takes what stands before the next `separator` outside quotes off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && rest[i] == separator) {
      break;
    }
  }
  const std::string_view item = rest.substr(0, std::min(i, rest.size()));
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return strip(item);
}

/// Thousandths of a qvalue (RFC 9110 section 12.4.2); what is none counts as refused.
int parse_q(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  int thousandths = (text[0] - '0') * 1000;
  int scale = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return 0;
    thousandths += (c - '0') * scale;
    scale /= 10;
  }
  return thousandths <= 1000 ? thousandths : 0;
}

struct Item {
  std::string_view name;  ///< a media type or a coding
  std::string_view version;
  int q = 1000;
};

Item parse_item(std::string_view text) {
  Item item;
  item.name = take(text, ';');
  while (!text.empty()) {
    std::string_view parameter = take(text, ';');
    const std::string_view key = take(parameter, '=');
    std::string_view value = strip(parameter);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (same(key, "q")) item.q = parse_q(value);
    if (same(key, "version")) item.version = value;
  }
  return item;
}

void keep_best(std::optional<int>& best, int q) { best = std::max(best.value_or(0), q); }

}  // namespace

ExpositionFormat negotiate_format(std::string_view accept) {
  std::optional<int> openmetrics;
  std::optional<int> text_plain;
  std::optional<int> text_any;
  std::optional<int> any;
  while (!accept.empty()) {
    const Item item = parse_item(take(accept, ','));
    if (same(item.name, "application/openmetrics-text")) {
      if (item.version.empty() || item.version == "1.0.0") keep_best(openmetrics, item.q);
    } else if (same(item.name, "text/plain")) {
      keep_best(text_plain, item.q);
    } else if (same(item.name, "text/*")) {
      keep_best(text_any, item.q);
    } else if (same(item.name, "*/*")) {
      keep_best(any, item.q);
    }
  }
  const int text = text_plain.value_or(text_any.value_or(any.value_or(0)));
  const int open = openmetrics.value_or(0);
  return open > 0 && open >= text ? ExpositionFormat::openmetrics : ExpositionFormat::text;
}

bool negotiate_gzip(std::string_view accept_encoding) {
  std::optional<int> gzip;
  std::optional<int> identity;
  std::optional<int> any;
  while (!accept_encoding.empty()) {
    const Item item = parse_item(take(accept_encoding, ','));
    if (same(item.name, "gzip") || same(item.name, "x-gzip")) {
      keep_best(gzip, item.q);
    } else if (same(item.name, "identity")) {
      keep_best(identity, item.q);
    } else if (item.name == "*") {
      keep_best(any, item.q);
    }
  }
  const int q = gzip.value_or(any.value_or(0));
  return q > 0 && q >= identity.value_or(0);
}

}  // namespace ua
