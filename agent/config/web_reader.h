// SPDX-License-Identifier: Apache-2.0
// Reads [web], and the files it names. Where a file may be waited for.
#pragma once

#include "agent/config/config.h"
#include "collectors/core/table_reader.h"

namespace ua {

void read_web(TableReader& table, WebConfig& web);

}  // namespace ua
