// SPDX-License-Identifier: Apache-2.0
// One outcome as JSON: the same keys in `probe --json` and in the API. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "collectors/core/outcome.h"

namespace ua {

/// From "success" to "tls", each always there and null where there is nothing to say. Untrusted
/// bytes are escaped.
nlohmann::ordered_json outcome_json(const Outcome& outcome);

/// On one line, ASCII only.
std::string dump_json(const nlohmann::ordered_json& json);

}  // namespace ua
