// SPDX-License-Identifier: Apache-2.0
// Reads [[upstream]] tables, one after another. Main thread.
#pragma once

#include <map>
#include <string>

#include "agent/config/config.h"
#include "agent/config/settings.h"
#include "collectors/core/table_reader.h"

namespace ua {

/// A check more often than this measures the agent rather than the upstream.
inline constexpr Duration kLeastInterval = 100ms;
inline constexpr Duration kMostInterval = 24h;

std::string longer_than_interval(Duration timeout, Duration interval);
std::string not_below_timeout(Duration timeout);

class UpstreamReader {
 public:
  UpstreamReader(const UpstreamDefaults& defaults, const ProbeLimits& limits)
      : defaults_(defaults), limits_(limits) {}

  UpstreamConfig read(TableReader& table);

 private:
  void read_name(TableReader& table, UpstreamConfig& upstream);
  void read_times(TableReader& table, UpstreamConfig& upstream) const;
  void read_targets(TableReader& table, UpstreamConfig& upstream) const;

  const UpstreamDefaults& defaults_;
  const ProbeLimits& limits_;
  std::map<std::string, std::string, std::less<>> names_;  // name -> where
};

}  // namespace ua
