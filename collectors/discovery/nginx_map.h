// SPDX-License-Identifier: Apache-2.0
// What a `map`, `geo` or `split_clients` block can give its variable. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/discovery/nginx_config.h"
#include "collectors/discovery/nginx_scope.h"

namespace ua {

bool is_nginx_map(const NginxDirective& directive);

/// The name, without '$', that a `map` looks at; empty: none or a longer text.
std::string_view nginx_map_source(const NginxDirective& map);

/// All values, that of `default` first.
/// @param source what is looked at, where it is known; then the one value, unless a pattern may
/// match
NginxValues nginx_map_values(const NginxDirective& map, const std::optional<std::string>& source);

}  // namespace ua
