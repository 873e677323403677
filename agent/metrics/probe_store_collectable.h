// SPDX-License-Identifier: Apache-2.0
// The probe series as prometheus-cpp wants them, for users of its API (an Exposer, a gateway). Any
// thread.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <utility>
#include <vector>

#include "agent/metrics/probe_store.h"

namespace ua {

class ProbeStoreCollectable : public prometheus::Collectable {
 public:
  /// @param store must outlive this; @param now asked once a collection
  ProbeStoreCollectable(const ProbeStore& store, std::function<Time()> now)
      : store_(store), now_(std::move(now)) {}

  std::vector<prometheus::MetricFamily> Collect() const override { return store_.collect(now_()); }

 private:
  const ProbeStore& store_;
  std::function<Time()> now_;
};

}  // namespace ua
