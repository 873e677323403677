// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/certificate_fetch.h"

#include <utility>

#include "collectors/probes/tls/tls_facts.h"

namespace ua {
namespace {

constexpr Duration kFactsKept = 1h;

}  // namespace

CertificateFetch::CertificateFetch(ProbeEngine& engine, std::shared_ptr<const HttpRequest> request,
                                   const FirstHandshake& first, Done done)
    : engine_(engine),
      request_(std::move(request)),
      target_(first.target),
      identity_(first.identity),
      starttls_(first.starttls),
      done_(std::move(done)),
      dial_(
          engine.loop, first.peer,
          [this](Connection connection) { on_connected(std::move(connection)); },
          [this](const DialFailure&) { done_(facts_); }, first.options) {}

CertificateFetch::~CertificateFetch() {
  if (handle_ == nullptr) return;
  engine_.curl.plain()->remove(handle_);
  engine_.curl.plain()->release(handle_);
}

void CertificateFetch::on_connected(Connection connection) {
  if (starttls_ == Starttls::none) return shake_hands(std::move(connection.fd));
  dialogue_ = std::make_unique<StarttlsRun>(engine_, std::move(connection.fd), starttls_,
                                            [this](UniqueFd fd, const auto& failure) {
                                              if (failure) return done_(facts_);
                                              shake_hands(std::move(fd));
                                            });
}

void CertificateFetch::shake_hands(UniqueFd fd) {
  handle_ = engine_.curl.plain()->acquire();
  if (handle_ == nullptr) return done_(facts_);
  request_->set_on(handle_, target_);
  if (identity_ != nullptr) set_client_pem(handle_, *identity_);
  socket_.attach(handle_, std::move(fd), nullptr);
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

CertificateLookup::CertificateLookup(ProbeEngine& engine,
                                     const std::shared_ptr<const HttpRequest>& request,
                                     const FirstHandshake& first, const Outcome& verdict,
                                     CertificateFetch::Done done)
    : engine_(engine), done_(std::move(done)) {
  const std::string key = first.peer.text() + ' ' + first.target.authority() + ' ' +
                          request->tls_name(first.target) + ' ' + verdict.detail + ' ' +
                          verdict.message;
  auto& remembered = request->remembered;
  const auto known = remembered.find(key);
  if (known != remembered.end() && engine.loop.now() - known->second.when < kFactsKept) {
    finish_later(known->second.facts);
    return;
  }
  if (remembered.size() >= HttpRequest::kMaxRemembered) remembered.clear();
  remembered[key] = {engine.loop.now(), {}};  // an attempt that comes to nothing counts as one
  fetch_ = std::make_unique<CertificateFetch>(
      engine, request, first, [this, request, key](const TlsFacts& facts) {
        request->remembered[key] = {engine_.loop.now(), facts};
        finish_later(facts);
      });
}

void CertificateLookup::finish_later(const TlsFacts& facts) {
  later_ = engine_.loop.after(Duration::zero(), [this, facts] { done_(facts); });
}

}  // namespace ua
