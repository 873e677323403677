// SPDX-License-Identifier: Apache-2.0
#include "agent/web/certificate_watch.h"

#include <utility>

namespace ua {

CertificateWatch::CertificateWatch(Loop& loop, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)), worker_(loop, 1) {}

void CertificateWatch::follow(std::shared_ptr<const TlsCredentials> in_use) {
  in_use_ = std::move(in_use);
  said_.clear();
  timer_.cancel();
  if (in_use_ != nullptr) timer_ = loop_.after(kInterval, [this] { check(); });
}

/// A look that hangs is waited for; there is never a second one beside it.
void CertificateWatch::check() {
  timer_ = loop_.after(kInterval, [this] { check(); });
  if (looking_) return;
  looking_ = worker_.run([this, of = in_use_]() -> Worker::Then {
    // The owner may be gone by the time a dead file system answers: nothing of it is used here.
    auto now = std::make_shared<std::optional<Loaded>>(look(*of));
    return [this, of, now] { found(of, std::move(*now)); };
  });
}

std::optional<CertificateWatch::Loaded> CertificateWatch::look(const TlsCredentials& in_use) {
  if (!in_use.is_outdated()) return std::nullopt;
  return TlsCredentials::load(in_use.config());
}

void CertificateWatch::found(const std::shared_ptr<const TlsCredentials>& of,
                             std::optional<Loaded> now) {
  looking_ = false;
  if (of != in_use_) return;  // a reload came first
  if (!now) {
    if (!std::exchange(said_, "").empty()) callbacks_.mended();
  } else if (*now) {
    in_use_ = **now;
    said_.clear();
    callbacks_.renewed(in_use_);
  } else if (now->error().message != said_) {
    said_ = now->error().message;
    callbacks_.broken(said_);
  }
}

}  // namespace ua
