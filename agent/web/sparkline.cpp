// SPDX-License-Identifier: Apache-2.0
#include "agent/web/sparkline.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "agent/show_time.h"
#include "agent/web/html.h"

namespace ua {
namespace {

using Slots = std::vector<TargetHistory::Slot>;

constexpr int kHeight = 20;
constexpr int kLeastBar = 5;  // a single failure in a slot is seen

/// Path data relative to where it stands, so that what stays the same costs nothing: a thousand
/// drawings stand on one page.
class Path {
 public:
  void move_to(int x, int y) {
    flush();
    data_ += 'M' + std::to_string(x) + ' ' + std::to_string(y);
    y_ = y;
  }
  void right() { ++pending_; }
  void vertical_to(int y) {
    if (y == y_) return;
    flush();
    data_ += 'v' + std::to_string(y - y_);
    y_ = y;
  }
  void close() {
    flush();
    data_ += 'z';
  }
  std::string take() {
    flush();
    return std::move(data_);
  }

 private:
  void flush() {
    if (pending_ != 0) data_ += 'h' + std::to_string(pending_);
    pending_ = 0;
  }
  std::string data_;
  int y_ = 0;
  int pending_ = 0;
};

float highest(const Slots& slots) {
  float result = 0;
  for (const auto& slot : slots) result = std::max(result, slot.slowest);
  return result;
}

/// Of an area that stands on the ground; slots without a success are gaps in it.
std::string latency_path(const Slots& slots) {
  const float top = highest(slots);
  Path path;
  bool drawing = false;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const bool there = slots[i].slowest > 0;
    if (drawing && !there) {
      path.vertical_to(kHeight);
      path.close();
    }
    if (!drawing && there) path.move_to(static_cast<int>(i), kHeight);
    drawing = there;
    if (!there) continue;
    const auto height = std::lround(slots[i].slowest / top * (kHeight - 1));
    path.vertical_to(kHeight - 1 - static_cast<int>(height));
    path.right();
  }
  if (drawing) {
    path.vertical_to(kHeight);
    path.close();
  }
  return path.take();
}

std::string failure_path(const Slots& slots) {
  std::string result;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].failures == 0) continue;
    const double share = static_cast<double>(slots[i].failures) / slots[i].attempts;
    const int height = std::max(kLeastBar, static_cast<int>(std::lround(share * kHeight)));
    result += 'M' + std::to_string(i) + ' ' + std::to_string(kHeight) + "v-" +
              std::to_string(height) + "h1v" + std::to_string(height) + 'z';
  }
  return result;
}

}  // namespace

std::string sparkline_svg(const Slots& slots) {
  const std::string failures = failure_path(slots);
  const std::string latency = latency_path(slots);
  if (failures.empty() && latency.empty()) return {};
  std::string result = "<svg class=\"spark\" viewBox=\"0 0 " + std::to_string(slots.size()) + ' ' +
                       std::to_string(kHeight) +
                       "\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"" +
                       html_escape(history_in_words(slots)) + "\">";
  if (!latency.empty()) result += "<path class=\"took\" d=\"" + latency + "\"/>";
  if (!failures.empty()) result += "<path class=\"failed\" d=\"" + failures + "\"/>";
  return result + "</svg>";
}

std::string history_in_words(const Slots& slots) {
  const auto first =
      std::find_if(slots.begin(), slots.end(), [](const auto& slot) { return slot.attempts != 0; });
  if (first == slots.end()) return "no probe in the last hours";
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;
  for (const auto& slot : slots) {
    attempts += slot.attempts;
    failures += slot.failures;
  }
  const auto span = (slots.end() - first) * TargetHistory::kSlotLength;
  std::string result = "in the last " + show_age(WallTime(span), WallTime{}) + ' ' +
                       std::to_string(failures) + " of " + std::to_string(attempts) +
                       " probes failed";
  const float top = highest(slots);
  if (top > 0) {
    const auto slowest = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(top));
    result += ", the slowest success took " + show_brief(slowest);
  }
  return result;
}

}  // namespace ua
