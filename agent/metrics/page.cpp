// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/page.h"

#include <new>

#include "agent/exposition/text_writer.h"

namespace ua {

MetricsPage::MetricsPage(const ProbeStore& probes, AgentMetrics& agent,
                         const prometheus::Registry& registry, std::function<Time()> now)
    : probes_(probes), agent_(agent), registry_(registry), now_(std::move(now)) {}

void MetricsPage::add_part(std::string name, const prometheus::Collectable& part) {
  parts_.push_back(Part{std::move(name), &part});
}

std::string MetricsPage::render(ExpositionFormat format) {
  agent_.set_series(probes_.series(), probes_.series_limit(), probes_.series_dropped());
  const std::size_t last = last_size_.load(std::memory_order_relaxed);
  TextWriter writer(format, last + last / 16);
  probes_.render(writer, now_());
  for (const Part& part : parts_) {
    try {
      writer.families(part.source->Collect());
    } catch (const std::exception&) {
      agent_.count_render_errors(part.name, 1);
    }
  }
  if (writer.refused() > 0) agent_.count_render_errors("page", writer.refused());
  // Last, so that it also shows what this render left out.
  writer.families(registry_.Collect());
  std::string page = writer.finish();
  last_size_.store(page.size(), std::memory_order_relaxed);
  return page;
}

}  // namespace ua
