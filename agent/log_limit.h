// SPDX-License-Identifier: Apache-2.0
// How many log lines a second pass, whatever happens: ten thousand upstreams that go down at once
// must not fill a disk, nor must they push out what an operator looks for then. The logging thread
// owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace ua {

class LogLimit {
 public:
  static constexpr unsigned kLinesPerSecond = 100;
  static constexpr unsigned kImportantPerSecond = 1000;

  /// Whether a line of that second may be written. A clock that steps back begins a new second.
  /// @param important a warning, an error or a line of the agent's own life; they have a budget of
  /// their own
  bool allow(std::chrono::seconds second, bool important) {
    if (second != second_) {
      second_ = second;
      lines_ = 0;
      important_ = 0;
    }
    unsigned& count = important ? important_ : lines_;
    if (count < (important ? kImportantPerSecond : kLinesPerSecond)) {
      ++count;
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
  unsigned important_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace ua
