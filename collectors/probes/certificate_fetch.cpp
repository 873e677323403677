// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/certificate_fetch.h"

#include "collectors/probes/tls_facts.h"

namespace ua {

CertificateFetch::CertificateFetch(ProbeEngine& engine, std::shared_ptr<const HttpRequest> request,
                                   const Target& target, const Endpoint& peer, Done done)
    : engine_(engine),
      request_(std::move(request)),
      target_(target),
      done_(std::move(done)),
      dial_(
          engine.loop, peer, [this](Connection connection) { on_connected(std::move(connection)); },
          [this](const DialFailure&) { done_(facts_); }) {}

CertificateFetch::~CertificateFetch() {
  if (handle_ == nullptr) return;
  engine_.curl.plain()->remove(handle_);
  engine_.curl.plain()->release(handle_);
}

void CertificateFetch::on_connected(Connection connection) {
  handle_ = engine_.curl.plain()->acquire();
  if (handle_ == nullptr) return done_(facts_);
  request_->set_on(handle_, target_);
  socket_.attach(handle_, std::move(connection.fd), nullptr);
  curl_easy_setopt(handle_, CURLOPT_DEBUGFUNCTION, &CertificateFetch::debug_callback);
  curl_easy_setopt(handle_, CURLOPT_DEBUGDATA, this);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(handle_, CURLOPT_CONNECT_ONLY, 1L);
  finished_ = [this](CURLcode) { on_finished(); };
  engine_.curl.plain()->add(handle_, &finished_);
}

void CertificateFetch::on_finished() {
  read_certificates(handle_, facts_);
  done_(facts_);
}

int CertificateFetch::debug_callback(CURL* /*handle*/, curl_infotype type, char* data,
                                     std::size_t size, void* self) noexcept {
  if (type == CURLINFO_TEXT) {
    read_debug_line({data, size}, static_cast<CertificateFetch*>(self)->facts_);
  }
  return 0;
}

}  // namespace ua
