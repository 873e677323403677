// SPDX-License-Identifier: Apache-2.0
// Pages that take long to make, kept for the moment in which many ask for the same: made once, they
// cost the others no more than sending them. Owned by the WebServer; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "agent/web/replies.h"
#include "collectors/core/time.h"

namespace ua {

class SharedPages {
 public:
  using Made = std::shared_ptr<const WebReply>;
  /// A page may be handed out again for as long as it took to make, which leaves half of a thread's
  /// time to all else, and for so long at least.
  static constexpr Duration kLeastAge = 100ms;
  /// What is kept takes no more together, or as much as the largest page if that is more.
  static constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 20U;

  explicit SharedPages(std::function<Time()> now);

  /// @param which page, and in which form
  /// @param others_wait asked where there is one that is young enough: a client who is alone gets a
  /// page of its own, with all in it that came of what it has done before
  /// @param make may throw
  Made get(const std::string& which, const std::function<bool()>& others_wait,
           const std::function<WebReply()>& make);

  /// Forgets those that are too old; to be called now and then until it is empty().
  void expire();
  bool empty() const;

 private:
  struct Page {
    Made made;
    Time since;  ///< when it was made
    Time until;  ///< may be handed out again
  };
  Made young(const std::string& which) const;
  void keep(const std::string& which, Page page);

  const std::function<Time()> now_;
  mutable std::mutex mutex_;
  std::map<std::string, Page> pages_;
};

}  // namespace ua
