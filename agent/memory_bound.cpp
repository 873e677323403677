// SPDX-License-Identifier: Apache-2.0
#include "agent/memory_bound.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "agent/config/shard.h"
#include "agent/metrics/probe_families.h"
#include "agent/scheduler/target_history.h"
#include "agent/web/connections.h"
#include "agent/web/shared_pages.h"

namespace ua {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kSeriesOfAgentAndHost = 2000;
constexpr std::uint64_t kBytesOfTheirLabels = 48;
/// Its history, and what manages that.
constexpr std::uint64_t kBytesOfRow = TargetHistory::kBytes + 256;
constexpr std::uint64_t kAddressesOfTarget = 16;  // with addresses = "all"
constexpr std::uint64_t kAddressLabel = 64;
/// Error classes that a target comes to beyond those it is born with.
constexpr std::uint64_t kLaterClasses = 4;
/// That are kept for several who ask: two formats of the metrics, the status page and the API, each
/// of them also compressed.
constexpr std::uint64_t kSharedPages = 8;

struct Series {
  std::uint64_t count = kSeriesOfAgentAndHost;
  std::uint64_t label_bytes = kSeriesOfAgentAndHost * kBytesOfTheirLabels;

  void add(std::uint64_t more, std::uint64_t labels_each) {
    count += more;
    label_bytes += more * labels_each;
  }
  /// Of one page; where there are more series than allowed, the allowed share.
  std::uint64_t page_bytes(std::uint64_t allowed) const {
    const std::uint64_t all = count * kBytesBesideRowLabels + label_bytes;
    return allowed < count ? all / count * allowed : all;
  }
};

/// `name="value",`
std::uint64_t label_bytes(std::string_view name, std::string_view value) {
  return name.size() + value.size() + 4;
}

/// Results that are kept apart, of each of its targets.
std::uint64_t rows_of(const UpstreamConfig& upstream) {
  return upstream.run.addresses == AddressMode::all ? kAddressesOfTarget : 1;
}

void add_series(const UpstreamConfig& upstream, const TargetConfig& target,
                const MetricsConfig& metrics, Series& series) {
  const bool all = upstream.run.addresses == AddressMode::all;
  const std::string& label = target.target.label;
  std::uint64_t labels = label_bytes("upstream", upstream.name) + label_bytes("target", label);
  for (const auto& [name, value] : upstream.labels) labels += label_bytes(name, value);
  if (all) labels += kAddressLabel;
  const ProbeKind kind = probe_kind(label);
  series.add(rows_of(upstream) * (series_of_row(kind, metrics) + kLaterClasses), labels);
}

/// Of the targets whose probes keep most: no target has two of them in flight.
std::uint64_t bytes_in_flight(std::vector<std::uint64_t> buffers, std::uint64_t in_flight) {
  const auto last = buffers.begin() + static_cast<std::ptrdiff_t>(in_flight);
  std::partial_sort(buffers.begin(), last, buffers.end(), std::greater<>());
  return in_flight * 24 * kKiB + std::accumulate(buffers.begin(), last, std::uint64_t{0});
}

}  // namespace

std::uint64_t memory_bound_bytes(const Config& config) {
  Series series;
  std::vector<std::uint64_t> buffers;
  std::uint64_t rows = 0;
  for (const UpstreamConfig& upstream : take_shard(config.shard, config.upstreams)) {
    for (const TargetConfig& target : upstream.targets) {
      add_series(upstream, target, config.metrics, series);
      buffers.push_back(target.buffer_bytes);
      rows += rows_of(upstream);
    }
  }
  const std::uint64_t targets = buffers.size();
  const std::uint64_t in_flight = std::min<std::uint64_t>(targets, config.limits.max_in_flight);
  const std::uint64_t allowed = std::min(series.count, config.limits.max_series);
  const std::uint64_t page = series.page_bytes(allowed);
  const std::uint64_t connection = (config.web.tls ? 128 : 64) * kKiB;  // a TLS session takes 40
  const ConnectionLimits replies;
  const std::uint64_t shared =
      std::max(page, std::min(SharedPages::kMostBytes, kSharedPages * page));
  return 32 * kKiB * kKiB + targets * 6 * kKiB + rows * kBytesOfRow +
         bytes_in_flight(std::move(buffers), in_flight) + allowed * 64 +
         connection * config.limits.max_connections +
         std::max(replies.reply_bytes, replies.replies * page) + shared + page;
}

}  // namespace ua
