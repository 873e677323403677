// SPDX-License-Identifier: Apache-2.0
// Something that is sampled again and again. The caller records how long it took and whether it
// succeeded; a failure degrades this collector alone. Runs on the sampling thread.
#pragma once

#include <string_view>

#include "collectors/core/result.h"

namespace ua {

template <typename Snapshot>
class Collector {
 public:
  virtual ~Collector() = default;
  virtual std::string_view name() const = 0;
  /// Fills its part of `into`.
  virtual Result<void> sample(Snapshot& into) = 0;
};

}  // namespace ua
