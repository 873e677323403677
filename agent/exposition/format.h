// SPDX-License-Identifier: Apache-2.0
// The two text formats a page can be written in. Values.
#pragma once

#include <cstdint>
#include <string_view>

namespace ua {

enum class ExpositionFormat : std::uint8_t {
  text,         ///< Prometheus text format 0.0.4
  openmetrics,  ///< OpenMetrics 1.0.0
};

constexpr std::string_view content_type(ExpositionFormat format) {
  return format == ExpositionFormat::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace ua
