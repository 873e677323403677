// SPDX-License-Identifier: Apache-2.0
// In which table each configuration key stands. Only for advice: the readers are what decides, and
// a rule checks this list against the reference of the configuration.
#pragma once

#include <span>

#include "collectors/core/table_reader.h"

namespace ua {

std::span<const KeyPlace> key_places();

}  // namespace ua
