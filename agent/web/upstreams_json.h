// SPDX-License-Identifier: Apache-2.0
// The API's documents: /api/v1/upstreams and /api/v1/upstreams/NAME. Their keys are described in
// packaging/doc/endpoints.md; none is ever left out, what is not known is null. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/web/status_data.h"

namespace ua {

/// The agent, the host, and each upstream with its targets. ASCII, without line breaks.
std::string upstreams_json(const StatusData& data);

/// One upstream, with the last hours of each target. nullopt where there is none of that name.
std::optional<std::string> upstream_json(const StatusData& data, std::string_view name);

}  // namespace ua
