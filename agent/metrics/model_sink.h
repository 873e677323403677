// SPDX-License-Identifier: Apache-2.0
// Takes what a TextWriter takes and makes prometheus-cpp's model of it. For one collection, on one
// thread.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/exposition/text_writer.h"

namespace ua {

class ModelSink {
 public:
  bool begin_family(std::string_view name, std::string_view help, FamilyType type);
  void sample(std::string_view suffix, std::string_view labels, std::string_view more_labels,
              double value);
  void sample(std::string_view suffix, std::string_view labels, std::string_view more_labels,
              std::uint64_t value);
  void flush() {}

  /// The families that have a series.
  std::vector<prometheus::MetricFamily> take();

 private:
  void histogram_sample(std::string_view suffix,
                        std::vector<prometheus::ClientMetric::Label> labels, double value);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace ua
