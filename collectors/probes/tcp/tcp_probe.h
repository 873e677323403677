// SPDX-License-Identifier: Apache-2.0
// A TCP or Unix stream socket that can be connected to is up. Loop thread.
#pragma once

#include "collectors/probes/probe_types.h"

namespace ua {

/// For tcp and tcp+unix targets.
ProbeMaker make_tcp_maker();

}  // namespace ua
