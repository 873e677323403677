// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/tls_probe.h"

#include <sys/epoll.h>

#include <array>
#include <string>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/curl/curl_socket.h"
#include "collectors/probes/http/http_classify.h"
#include "collectors/probes/http/http_facts.h"
#include "collectors/probes/http/http_request.h"
#include "collectors/probes/http/http_transcript.h"
#include "collectors/probes/http/http_trouble.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/tls/certificate_fetch.h"
#include "collectors/probes/tls/starttls_run.h"
#include "collectors/probes/tls/tls_entry.h"
#include "collectors/probes/tls/tls_facts.h"
#include "collectors/probes/tls/tls_witness.h"

namespace ua {
namespace {

/// With TLS 1.3 the client's certificate is judged after the handshake (RFC 8446 section 4.4): that
/// long a server that asked for one is given to object.
constexpr Duration kObjection = 300ms;

/// Nothing is exchanged but the handshake: what ended the connection ended that.
Classified classify_handshake(const HttpEvidence& evidence) {
  Classified result = classify_transfer(evidence);
  if (evidence.code == CURLE_COULDNT_CONNECT) return {ErrorClass::tls_handshake_failed, "rst"};
  const bool closed = result.error == ErrorClass::closed_before_headers ||
                      result.error == ErrorClass::reset_before_headers;
  if (closed) result.error = ErrorClass::tls_handshake_failed;
  return result;
}

ProbeResult starttls_result(const StarttlsRun::Failure& failure) {
  ProbeResult result;
  result.outcome.error = failure.error;
  result.outcome.detail = failure.detail;
  result.outcome.message = failure.message;
  return result;
}

class TlsProbe final : public Probe {
 public:
  TlsProbe(ProbeEngine& engine, Target target, std::shared_ptr<const HttpRequest> request,
           Starttls starttls)
      : engine_(engine),
        target_(std::move(target)),
        request_(std::move(request)),
        starttls_(starttls),
        entry_(engine) {}

  ~TlsProbe() override { drop_handle(); }
  TlsProbe(const TlsProbe&) = delete;
  TlsProbe& operator=(const TlsProbe&) = delete;

  void start(Connection connection, Done done) override {
    done_ = std::move(done);
    started_ = connection.connected_at;
    connected_ = std::move(connection.fd);
    first_ = {target_, connection.peer, connection.options, nullptr, starttls_};
    evidence_.tls = true;
    if (starttls_ == Starttls::none) return enter();
    dialogue_ = std::make_unique<StarttlsRun>(
        engine_, std::move(connected_), starttls_,
        [this](UniqueFd fd, auto failure) { on_dialogue(std::move(fd), std::move(failure)); });
  }

  ProbeResult cancel() override;

 private:
  void enter() {
    entry_.start(request_->tls(), request_->identity(target_),
                 [this](auto ready) { on_entry(std::move(ready)); });
  }

  void on_dialogue(UniqueFd fd, std::optional<StarttlsRun::Failure> failure);
  void on_entry(tl::expected<TlsEntry::Ready, ProbeResult> ready);
  void set_up(CURL* handle);
  void on_finished(CURLcode code);
  void await_objection();
  void on_readable();
  void finish(CURLcode code);
  void deliver_later(ProbeResult result);
  ProbeResult conclude(CURLcode code);
  void read_facts(CURLcode code, Outcome& outcome);
  void fetch_certificates(ProbeResult verdict);
  void on_certificates(const TlsFacts& facts);
  void before_close(int fd);
  void drop_handle();

  static int debug_callback(CURL* handle, curl_infotype type, char* data, std::size_t size,
                            void* self) noexcept;

  ProbeEngine& engine_;
  Target target_;
  std::shared_ptr<const HttpRequest> request_;
  Done done_;
  std::function<void(CURLcode)> finished_;
  Starttls starttls_;
  Time started_;
  std::unique_ptr<StarttlsRun> dialogue_;
  std::optional<Duration> spoken_for_;  // the dialogue took that long
  TlsEntry entry_;
  UniqueFd connected_;
  FirstHandshake first_;
  std::shared_ptr<CurlMulti> curl_;
  CURL* handle_ = nullptr;
  CurlSocket socket_;
  std::optional<Time> handshake_at_;  // waits for an objection since
  Watch watch_;
  Timer patience_;
  std::optional<ProbeResult> verdict_;  // on its way; perhaps the certificates are fetched first
  std::unique_ptr<CertificateLookup> lookup_;
  Timer later_;
  HttpEvidence evidence_;
  TlsFacts tls_;
  TlsWitness witness_;
  bool has_roots_ = false;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

ProbeResult TlsProbe::cancel() {
  if (verdict_) {  // it stands without the certificates
    lookup_.reset();
    return std::move(*verdict_);
  }
  if (dialogue_ != nullptr && !spoken_for_) return starttls_result(dialogue_->give_up());
  if (auto trouble = entry_.trouble()) return std::move(*trouble);
  if (handshake_at_) return conclude(CURLE_OK);  // nobody has objected
  evidence_.timed_out = true;
  return conclude(CURLE_OK);
}

void TlsProbe::on_dialogue(UniqueFd fd, std::optional<StarttlsRun::Failure> failure) {
  if (failure) return deliver_later(starttls_result(*failure));
  spoken_for_ = engine_.loop.now() - started_;
  connected_ = std::move(fd);
  enter();
}

void TlsProbe::on_entry(tl::expected<TlsEntry::Ready, ProbeResult> ready) {
  if (!ready) return deliver_later(std::move(ready.error()));
  first_.identity = std::move(ready->identity);
  evidence_.client_cert_offered = first_.identity != nullptr;
  curl_ = std::move(ready->curl);
  has_roots_ = ready->has_roots;
  handle_ = curl_->acquire();
  if (handle_ == nullptr) return deliver_later(conclude(CURLE_OK));
  set_up(handle_);
  finished_ = [this](CURLcode code) { on_finished(code); };
  curl_->add(handle_, &finished_);
}

void TlsProbe::set_up(CURL* handle) {
  request_->set_on(handle, target_);
  if (first_.identity != nullptr) set_client_pem(handle, *first_.identity);
  if (has_roots_) {
    witness_.attach(handle, request_->tls_name(target_), request_->tls().insecure_skip_verify);
  }
  socket_.attach(handle, std::move(connected_), [this](int fd) { before_close(fd); });
  curl_easy_setopt(handle, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 0L);  // else it closes with the handshake's end
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, &TlsProbe::debug_callback);
  curl_easy_setopt(handle, CURLOPT_DEBUGDATA, this);
}

void TlsProbe::before_close(int fd) {
  if (!evidence_.tcp.known) evidence_.tcp = read_tcp_evidence(fd);
  const bool answered = evidence_.handshake_done && !evidence_.timed_out;
  if (answered && engine_.connect_rate.busy(first_.peer)) close_by_reset(fd);
}

int TlsProbe::debug_callback(CURL* /*handle*/, curl_infotype type, char* data, std::size_t size,
                             void* self) noexcept {
  auto& probe = *static_cast<TlsProbe*>(self);
  const std::string_view line(data, size);
  const ProbeEngine& engine = probe.engine_;
  if (engine.transcript != nullptr) transcribe(*engine.transcript, engine.loop.now(), type, line);
  if (type != CURLINFO_TEXT) return 0;
  if (const auto alert = received_alert(line)) probe.evidence_.peer_alert = *alert;
  if (read_debug_line(line, probe.tls_)) probe.evidence_.client_cert_requested = true;
  if (!probe.tls_.cipher.empty()) probe.entry_.leave_gate();  // the costly part is over
  return 0;
}

void TlsProbe::on_finished(CURLcode code) {
  const bool objects_later = evidence_.client_cert_requested && tls_.version == "TLSv1.3";
  if (code == CURLE_OK && objects_later) return await_objection();
  finish(code);
}

void TlsProbe::await_objection() {
  handshake_at_ = engine_.loop.now();
  patience_ = engine_.loop.after(kObjection, [this] { finish(CURLE_OK); });
  watch_ = engine_.loop.watch(socket_.fd(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
}

/// What comes may be session tickets, which say nothing of the certificate to us.
void TlsProbe::on_readable() {
  std::array<char, 256> buffer{};
  std::size_t size = 0;
  const CURLcode code = curl_easy_recv(handle_, buffer.data(), buffer.size(), &size);
  if (code == CURLE_AGAIN) return;
  if (code == CURLE_OK && size > 0) return finish(CURLE_OK);  // it talks to us
  finish(code == CURLE_OK ? CURLE_RECV_ERROR : code);
}

void TlsProbe::finish(CURLcode code) {
  ProbeResult result = conclude(code);
  const bool dropped = code == CURLE_PEER_FAILED_VERIFICATION && evidence_.peer_alert == 0 &&
                       !evidence_.certificates;
  if (dropped) return fetch_certificates(std::move(result));
  deliver_later(std::move(result));
}

void TlsProbe::deliver_later(ProbeResult result) {
  verdict_ = std::move(result);  // for cancel(), which may come first
  later_ = engine_.loop.after(Duration::zero(), [this] {
    const Done done = std::move(done_);
    done(std::move(*verdict_));
  });
}

ProbeResult TlsProbe::conclude(CURLcode code) {
  if (handle_ == nullptr) return own_trouble("no_handle", "libcurl had no memory for a transfer");
  ProbeResult result;
  Outcome& outcome = result.outcome;
  read_facts(code, outcome);
  if (code != CURLE_OK || evidence_.timed_out) {
    Classified classified = classify_handshake(evidence_);
    outcome.error = classified.error;
    outcome.detail = std::move(classified.detail);
  }
  if (code == CURLE_SSL_CERTPROBLEM) {
    outcome.detail = "client_certificate";
    outcome.message = not_a_pair(error_text_.data());
  } else if (code == CURLE_COULDNT_CONNECT) {
    // Its text names the address that it was given to keep it from resolving.
    if (evidence_.connect_errno != 0) outcome.message = errno_text(evidence_.connect_errno);
  } else if (code != CURLE_OK) {
    outcome.message = error_text_.data();
  }
  if (outcome.error != ErrorClass::none && starttls_ != Starttls::none) {
    add_detail(outcome, starttls_token(starttls_));
  }
  // The wait for an objection is ours.
  if (outcome.error == ErrorClass::none) result.judged_at = handshake_at_;
  drop_handle();
  return result;
}

void TlsProbe::read_facts(CURLcode code, Outcome& outcome) {
  if (!evidence_.tcp.known && socket_.fd() >= 0) evidence_.tcp = read_tcp_evidence(socket_.fd());
  evidence_.code = code;
  evidence_.error_text = error_text_.data();
  read_transfer(handle_, evidence_);
  outcome.server_name = request_->tls_name(target_);
  outcome.times =
      read_times(handle_, evidence_, HttpAnswer(0, false), Duration::zero(), Time{}, Time{});
  if (spoken_for_) outcome.times.set(TimedPhase::response_headers, *spoken_for_);
  read_certificates(handle_, tls_);
  evidence_.certificates = tls_.certificate.has_value();
  const bool verifies = !request_->tls().insecure_skip_verify;
  tls_.verified = evidence_.handshake_done && verifies;
  const bool not_verified = code == CURLE_PEER_FAILED_VERIFICATION && evidence_.peer_alert == 0;
  if (not_verified) tls_.verify_error = error_text_.data();
  witness_.fill(tls_);
  if (evidence_.handshake_done || evidence_.certificates || !tls_.verify_error.empty()) {
    outcome.tls = tls_;
  }
}

/// libcurl drops the certificates with a chain that it does not trust.
void TlsProbe::fetch_certificates(ProbeResult verdict) {
  verdict.judged_at = engine_.loop.now();
  lookup_ = std::make_unique<CertificateLookup>(
      engine_, request_, first_, verdict.outcome,
      [this](const TlsFacts& facts) { on_certificates(facts); });
  verdict_ = std::move(verdict);
}

void TlsProbe::on_certificates(const TlsFacts& found) {
  if (found.certificate) {
    TlsFacts facts = found;
    facts.verified = false;
    facts.from_second_handshake = true;
    if (const auto& first = verdict_->outcome.tls) {
      facts.verify_error = first->verify_error;
      facts.verify_code = first->verify_code;
      facts.ocsp = first->ocsp;
    }
    verdict_->outcome.tls = std::move(facts);
  }
  const Done done = std::move(done_);
  done(std::move(*verdict_));
}

void TlsProbe::drop_handle() {
  watch_.cancel();
  patience_.cancel();
  if (handle_ == nullptr) return;
  curl_->remove(handle_);
  curl_->release(std::exchange(handle_, nullptr));
}

}  // namespace

ProbeMaker make_tls_maker(TlsOptions tls, Starttls starttls) {
  auto request = std::make_shared<const HttpRequest>(HttpOptions{}, std::move(tls));
  return [request, starttls](ProbeEngine& engine, const Target& target) -> std::unique_ptr<Probe> {
    return std::make_unique<TlsProbe>(engine, target, request, starttls);
  };
}

}  // namespace ua
