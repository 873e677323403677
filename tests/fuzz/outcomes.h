// SPDX-License-Identifier: Apache-2.0
// Results of probes as hostile upstreams bring them about.
#pragma once

#include "collectors/core/outcome.h"
#include "collectors/probes/target.h"
#include "tests/fuzz/fuzz.h"

namespace ua::fuzz {

Outcome make_outcome(Input& input);

/// A target as configuration and discovery let it pass, out of the input where that is one.
Target make_target(Input& input);

}  // namespace ua::fuzz
