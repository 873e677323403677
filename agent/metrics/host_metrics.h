// SPDX-License-Identifier: Apache-2.0
// The host's series (host_*, upstream_agent_collector_*) out of the latest snapshot: the only place
// that names them. Any thread.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <vector>

#include "collectors/host/host_snapshot.h"

namespace ua {

std::vector<prometheus::MetricFamily> host_families(const HostSnapshot& snapshot);

class HostMetrics : public prometheus::Collectable {
 public:
  using Latest = std::function<std::shared_ptr<const HostSnapshot>()>;
  explicit HostMetrics(Latest latest) : latest_(std::move(latest)) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    const auto snapshot = latest_();
    return snapshot ? host_families(*snapshot) : std::vector<prometheus::MetricFamily>{};
  }

 private:
  Latest latest_;
};

}  // namespace ua
