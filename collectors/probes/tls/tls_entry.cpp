// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/tls_entry.h"

#include <utility>

#include "collectors/probes/http/http_trouble.h"
#include "collectors/probes/probe_engine.h"

namespace ua {

void TlsEntry::start(const TlsOptions& tls, ClientIdentity* identity, Done done) {
  tls_ = &tls;
  source_ = identity;
  done_ = std::move(done);
  if (engine_.handshakes.enter(ticket_, [this] { read_identity(); })) return read_identity();
  waiting_ = Waiting::in_line;
}

void TlsEntry::read_identity() {
  waiting_ = Waiting::identity;
  if (source_ == nullptr) return read_roots();
  const std::weak_ptr<bool> alive = alive_;
  source_->read(engine_.files, engine_.loop.now(), [this, alive](const ClientIdentity::Pem& pem) {
    if (!alive.expired() && waiting_ == Waiting::identity) on_identity(pem);
  });
}

void TlsEntry::on_identity(const ClientIdentity::Pem& pem) {
  if (!pem) return end(tl::unexpected(bad_identity(pem.error().message)));
  identity_ = *pem;
  read_roots();
}

void TlsEntry::read_roots() {
  waiting_ = Waiting::roots;
  const std::weak_ptr<bool> alive = alive_;
  engine_.curl.trusting(tls_->ca_file, [this, alive](const CurlPool::Trusting& curl) {
    if (!alive.expired() && waiting_ == Waiting::roots) on_roots(curl);
  });
}

void TlsEntry::on_roots(const CurlPool::Trusting& curl) {
  // Where nothing depends on the verdict, it is not known then.
  if (!curl && tls_->insecure_skip_verify)
    return end(Ready{engine_.curl.plain(), identity_, false});
  if (!curl) return end(tl::unexpected(bad_roots(curl.error().message)));
  end(Ready{*curl, identity_, true});
}

void TlsEntry::end(tl::expected<Ready, ProbeResult> result) {
  waiting_ = Waiting::nothing;
  const Done done = std::exchange(done_, nullptr);
  done(std::move(result));
}

std::optional<ProbeResult> TlsEntry::trouble() const {
  switch (waiting_) {
    case Waiting::in_line:
      return own_trouble("handshake_queue", "too many TLS handshakes at once");
    case Waiting::identity:
      return bad_identity("the files of the client certificate took too long to read");
    case Waiting::roots:
      return bad_roots("the file of root certificates took too long to read");
    case Waiting::nothing:
      break;
  }
  return std::nullopt;
}

}  // namespace ua
