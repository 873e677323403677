// SPDX-License-Identifier: Apache-2.0
// Looks every few seconds whether the files of the endpoints' certificate have changed, and brings
// what is new and whole into use. Until then the old one serves. On the loop's thread; files are
// read on a worker.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/web/tls_credentials.h"
#include "collectors/core/loop.h"
#include "collectors/core/worker.h"

namespace ua {

class CertificateWatch {
 public:
  static constexpr Duration kInterval = 2s;

  struct Callbacks {
    std::function<void(std::shared_ptr<const TlsCredentials>)> renewed;
    /// Once for each mistake: what is wrong with the files that stand there now.
    std::function<void(const std::string&)> broken;
    /// The files are again those in use.
    std::function<void()> mended;
  };

  CertificateWatch(Loop& loop, Callbacks callbacks);

  /// From here on these, as they were loaded; null: nothing.
  void follow(std::shared_ptr<const TlsCredentials> in_use);

 private:
  using Loaded = tl::expected<std::shared_ptr<const TlsCredentials>, TlsCredentials::Mistake>;
  /// nullopt: the files are as they were when they were read.
  static std::optional<Loaded> look(const TlsCredentials& in_use);
  void check();
  void found(const std::shared_ptr<const TlsCredentials>& of, std::optional<Loaded> now);

  Loop& loop_;
  Callbacks callbacks_;
  std::shared_ptr<const TlsCredentials> in_use_;
  std::string said_;  // the mistake that was said last; empty: none
  bool looking_ = false;
  Timer timer_;
  Worker worker_;  // last: ends first
};

}  // namespace ua
