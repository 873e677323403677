// SPDX-License-Identifier: Apache-2.0
// How a bench reports: one tab-separated row a measure, which tests/bench/run joins into a table.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace ua::bench {

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// @param goal the most that `value` should be; 0: no goal, the row informs only
inline void report(const std::string& measure, double value, const char* unit, double goal) {
  if (goal > 0) {
    std::printf("%s\t%.2f\t%s\t<= %g\t%s\n", measure.c_str(), value, unit, goal,
                value <= goal ? "met" : "MISSED");
  } else {
    std::printf("%s\t%.2f\t%s\t\t\n", measure.c_str(), value, unit);
  }
  std::fflush(stdout);
}

}  // namespace ua::bench
