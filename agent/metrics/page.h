// SPDX-License-Identifier: Apache-2.0
// Joins all parts into the page that /metrics serves. Owned by the agent; render() on any thread.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/exposition/format.h"
#include "agent/metrics/agent_metrics.h"
#include "agent/metrics/probe_store.h"
#include "collectors/core/time.h"

namespace ua {

class MetricsPage {
 public:
  /// Everything handed over must outlive the page. `now` is asked once a render, on the rendering
  /// thread.
  MetricsPage(const ProbeStore& probes, AgentMetrics& agent, const prometheus::Registry& registry,
              std::function<Time()> now);

  /// Adds a part after the probe series, e.g. the host's. Not while a render may run.
  /// @param name value of the label `part` of upstream_agent_render_errors_total; a constant
  void add_part(std::string name, const prometheus::Collectable& part);

  /// The body in one of the formats. A part that throws (where it broke off), or whose series clash
  /// with an earlier part's, is left out and counted; the page stays valid. Only running out of
  /// memory for the page itself throws (std::bad_alloc).
  std::string render(ExpositionFormat format);

  /// What render() takes, about; rather more.
  std::uint64_t bytes() const;

 private:
  struct Part {
    std::string name;
    const prometheus::Collectable* source;
  };

  const ProbeStore& probes_;
  AgentMetrics& agent_;
  const prometheus::Registry& registry_;
  std::function<Time()> now_;
  std::vector<Part> parts_;
};

}  // namespace ua
