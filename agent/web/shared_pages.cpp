// SPDX-License-Identifier: Apache-2.0
#include "agent/web/shared_pages.h"

#include <algorithm>
#include <utility>

namespace ua {

SharedPages::SharedPages(std::function<Time()> now) : now_(std::move(now)) {}

SharedPages::Made SharedPages::get(const std::string& which,
                                   const std::function<bool()>& others_wait,
                                   const std::function<WebReply()>& make) {
  if (Made made = young(which); made != nullptr && others_wait()) return made;
  const Time begin = now_();
  auto made = std::make_shared<const WebReply>(make());
  const Time end = now_();
  keep(which, {made, end, end + std::max<Duration>(end - begin, kLeastAge)});
  return made;
}

SharedPages::Made SharedPages::young(const std::string& which) const {
  const Time now = now_();
  const std::lock_guard lock(mutex_);
  const auto it = pages_.find(which);
  return it != pages_.end() && now < it->second.until ? it->second.made : nullptr;
}

void SharedPages::keep(const std::string& which, Page page) {
  const std::lock_guard lock(mutex_);
  pages_.insert_or_assign(which, std::move(page));
  std::uint64_t held = 0;
  std::uint64_t largest = 0;
  for (const auto& [name, kept] : pages_) {
    held += kept.made->body.size();
    largest = std::max<std::uint64_t>(largest, kept.made->body.size());
  }
  while (held > std::max(kMostBytes, largest)) {
    const auto oldest = std::min_element(
        pages_.begin(), pages_.end(),
        [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
    held -= oldest->second.made->body.size();
    pages_.erase(oldest);
  }
}

void SharedPages::expire() {
  const Time now = now_();
  const std::lock_guard lock(mutex_);
  std::erase_if(pages_, [now](const auto& entry) { return now >= entry.second.until; });
}

bool SharedPages::empty() const {
  const std::lock_guard lock(mutex_);
  return pages_.empty();
}

}  // namespace ua
