// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/page.h"

#include <cstdint>
#include <utility>

#include "agent/exposition/text_writer.h"

namespace ua {
namespace {

/// Writes one part. Where it throws or clashes with an earlier one, the others go on.
template <typename Write>
void write_part(const std::string& name, const TextWriter& writer, AgentMetrics& agent,
                const Write& write) {
  std::uint64_t lost = 0;
  const std::uint64_t before = writer.refused();
  try {
    write();
  } catch (...) {  // a part may be foreign code
    lost = 1;
  }
  lost += writer.refused() - before;
  if (lost > 0) agent.count_render_errors(name, lost);
}

constexpr const char* kProbesPart = "probes";
constexpr const char* kAgentPart = "agent";

}  // namespace

MetricsPage::MetricsPage(const ProbeStore& probes, AgentMetrics& agent,
                         const prometheus::Registry& registry, std::function<Time()> now)
    : probes_(probes), agent_(agent), registry_(registry), now_(std::move(now)) {
  // Counters start at 0: increase() misses a first failure otherwise.
  agent_.count_render_errors(kProbesPart, 0);
  agent_.count_render_errors(kAgentPart, 0);
}

void MetricsPage::add_part(std::string name, const prometheus::Collectable& part) {
  agent_.count_render_errors(name, 0);
  parts_.push_back(Part{std::move(name), &part});
}

std::uint64_t MetricsPage::bytes() const {
  constexpr std::uint64_t kOtherParts = std::uint64_t{256} * 1024;
  return probes_.page_bytes() + kOtherParts;
}

std::string MetricsPage::render(ExpositionFormat format) {
  agent_.set_series(probes_.series(), probes_.series_limit(), probes_.series_dropped());
  TextWriter writer(format, bytes());
  write_part(kProbesPart, writer, agent_, [&] { probes_.render(writer, now_()); });
  for (const Part& part : parts_) {
    write_part(part.name, writer, agent_, [&] { writer.families(part.source->Collect()); });
  }
  // Last, so that it also shows what this render left out.
  write_part(kAgentPart, writer, agent_, [&] { writer.families(registry_.Collect()); });
  return writer.finish();
}

}  // namespace ua
