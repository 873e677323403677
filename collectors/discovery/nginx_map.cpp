// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_map.h"

#include <algorithm>
#include <utility>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxLines = 1000;

/// Whether the line gives a value; the others say how the block is read.
bool is_value(const NginxDirective& map, const NginxDirective& line) {
  if (line.arguments.size() != 1) return false;
  return map.name != "geo" || (line.name != "proxy" && line.name != "delete");
}

bool is_pattern(std::string_view name) {
  return name.starts_with('~') || name.starts_with('.') || name.find('*') != std::string_view::npos;
}

/// The value that `source` gets; nullopt where a pattern may match it.
std::optional<std::string> value_for(const NginxDirective& map, std::string_view source) {
  std::string result;
  bool patterns = false;
  for (const NginxDirective& line : map.block) {
    if (!is_value(map, line)) continue;
    const std::string_view name = line.name;
    if (iequals(name.starts_with('\\') ? name.substr(1) : name, source)) return line.arguments[0];
    if (name == "default") result = line.arguments[0];
    patterns = patterns || is_pattern(name);
  }
  return patterns ? std::nullopt : std::optional(result);
}

}  // namespace

bool is_nginx_map(const NginxDirective& directive) {
  return directive.name == "map" || directive.name == "geo" || directive.name == "split_clients";
}

std::string_view nginx_map_source(const NginxDirective& map) {
  if (map.name != "map" || map.arguments.size() != 2) return {};
  const std::string_view text = map.arguments[0];
  const bool variable = text.starts_with('$') && text.find('$', 1) == std::string_view::npos;
  return variable ? text.substr(1) : std::string_view();
}

NginxValues nginx_map_values(const NginxDirective& map, const std::optional<std::string>& source) {
  NginxValues result;
  if (source) {
    if (auto value = value_for(map, *source)) return {{std::move(*value)}, false};
  }
  result.more = map.block.size() > kMaxLines;
  for (std::size_t i = 0; i < std::min(map.block.size(), kMaxLines); ++i) {
    const NginxDirective& line = map.block[i];
    if (!is_value(map, line) || line.arguments[0].empty()) continue;
    const auto known = std::find(result.known.begin(), result.known.end(), line.arguments[0]);
    const bool fresh = known == result.known.end();
    if (fresh && line.name != "default") result.known.push_back(line.arguments[0]);
    if (line.name != "default") continue;
    if (!fresh) result.known.erase(known);
    result.known.insert(result.known.begin(), line.arguments[0]);
  }
  return result;
}

}  // namespace ua
