// SPDX-License-Identifier: Apache-2.0
// How many log lines a second pass, whatever happens: ten thousand upstreams that go down at once
// must not fill a disk. The logging thread owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace ua {

class LogLimit {
 public:
  static constexpr unsigned kLinesPerSecond = 100;

  /// Whether a line of that second may be written. A clock that steps back begins a new second.
  bool allow(std::chrono::seconds second) {
    if (second != second_) {
      second_ = second;
      lines_ = 0;
    }
    if (lines_ < kLinesPerSecond) {
      ++lines_;
      return true;
    }
    ++suppressed_;
    return false;
  }

  /// How many were refused since this was last asked.
  std::uint64_t take_suppressed() { return std::exchange(suppressed_, 0); }

 private:
  std::chrono::seconds second_{-1};
  unsigned lines_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace ua
