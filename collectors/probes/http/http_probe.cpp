// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_probe.h"

#include <array>
#include <string>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/answer/answer_match.h"
#include "collectors/probes/curl/curl_socket.h"
#include "collectors/probes/http/http_answer.h"
#include "collectors/probes/http/http_classify.h"
#include "collectors/probes/http/http_facts.h"
#include "collectors/probes/http/http_judge.h"
#include "collectors/probes/http/http_request.h"
#include "collectors/probes/http/http_transcript.h"
#include "collectors/probes/http/http_trouble.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/tls/certificate_fetch.h"
#include "collectors/probes/tls/client_identity.h"
#include "collectors/probes/tls/tls_entry.h"
#include "collectors/probes/tls/tls_facts.h"
#include "collectors/probes/tls/tls_witness.h"

namespace ua {
namespace {

class HttpProbe final : public Probe {
 public:
  HttpProbe(ProbeEngine& engine, Target target, std::shared_ptr<const HttpRequest> request)
      : engine_(engine),
        target_(std::move(target)),
        request_(std::move(request)),
        entry_(engine),
        answer_(request_->http().max_body, request_->http().patterns.of_body(),
                !request_->http().patterns.expect_header.empty()) {}

  ~HttpProbe() override { drop_handle(); }
  HttpProbe(const HttpProbe&) = delete;
  HttpProbe& operator=(const HttpProbe&) = delete;

  void start(Connection connection, Done done) override {
    done_ = std::move(done);
    started_ = connection.connected_at;
    connected_ = std::move(connection.fd);
    peer_ = connection.peer;
    options_ = connection.options;
    evidence_.tls = target_.is_tls();
    evidence_.unix_socket = target_.is_unix();
    evidence_.proxied = request_->http().proxy != nullptr;
    evidence_.tunnelled = evidence_.proxied && evidence_.tls;
    if (!evidence_.tls) return start_transfer(engine_.curl.plain());
    entry_.start(request_->tls(), request_->identity(target_),
                 [this](auto ready) { on_entry(std::move(ready)); });
  }

  ProbeResult cancel() override {
    if (auto trouble = entry_.trouble()) return std::move(*trouble);
    if (matching_) return match_took_long();
    if (verdict_) {  // it stands without the certificates
      lookup_.reset();
      return std::move(*verdict_);
    }
    evidence_.timed_out = true;
    note_tcp(socket_.fd());
    return conclude(CURLE_OK);
  }

 private:
  void on_entry(tl::expected<TlsEntry::Ready, ProbeResult> ready);
  void start_transfer(std::shared_ptr<CurlMulti> curl);
  void set_callbacks();

  void on_finished(CURLcode code);
  void deliver(ProbeResult result);
  void deliver_later(ProbeResult result);
  ProbeResult conclude(CURLcode code);
  void read_facts(CURLcode code, Outcome& outcome);
  void add_proxy_part(Outcome& outcome) const;
  void read_tls_facts(CURLcode code, Outcome& outcome);

  void match(ProbeResult result);
  void match_on_worker(ProbeResult result);
  ProbeResult match_took_long();

  bool wants_certificates(CURLcode code, const ProbeResult& result) const;
  void fetch_certificates(ProbeResult verdict);
  void on_certificates(const TlsFacts& facts);

  void note_tcp(int fd);
  void before_close(int fd);
  bool take_header(std::string_view line);
  void drop_handle();

  static std::size_t header_callback(char* data, std::size_t size, std::size_t count,
                                     void* self) noexcept;
  static std::size_t body_callback(char* data, std::size_t size, std::size_t count,
                                   void* self) noexcept;
  static int debug_callback(CURL* handle, curl_infotype type, char* data, std::size_t size,
                            void* self) noexcept;

  ProbeEngine& engine_;
  Target target_;
  std::shared_ptr<const HttpRequest> request_;
  Done done_;
  std::function<void(CURLcode)> finished_;
  TlsEntry entry_;
  std::shared_ptr<const ClientPem> identity_;
  std::shared_ptr<CurlMulti> curl_;
  CURL* handle_ = nullptr;
  UniqueFd connected_;
  CurlSocket socket_;
  Endpoint peer_;
  std::shared_ptr<const SocketOptions> options_;
  // On its way; perhaps the certificates are fetched first, or a body is matched.
  std::optional<ProbeResult> verdict_;
  std::unique_ptr<CertificateLookup> lookup_;
  bool matching_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what the worker hands back
  Timer later_;
  Time started_;
  HttpEvidence evidence_;
  TlsFacts tls_;
  TlsWitness witness_;
  bool has_roots_ = false;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  HttpAnswer answer_;
  HttpAnswer tunnel_{0, false};  // a proxy's answer to CONNECT
};

/// What it waited for was this host's, not the upstream's: the exchange's time starts now.
void HttpProbe::on_entry(tl::expected<TlsEntry::Ready, ProbeResult> ready) {
  if (!ready) return deliver_later(std::move(ready.error()));
  identity_ = std::move(ready->identity);
  evidence_.client_cert_offered = identity_ != nullptr;
  started_ = engine_.loop.now();
  has_roots_ = ready->has_roots;
  start_transfer(std::move(ready->curl));
}

void HttpProbe::start_transfer(std::shared_ptr<CurlMulti> curl) {
  curl_ = std::move(curl);
  handle_ = curl_->acquire();
  if (handle_ == nullptr) {
    return deliver_later(own_trouble("no_handle", "libcurl had no memory for a transfer"));
  }
  request_->set_on(handle_, target_);
  if (identity_ != nullptr) set_client_pem(handle_, *identity_);
  if (has_roots_) {
    witness_.attach(handle_, request_->tls_name(target_), request_->tls().insecure_skip_verify);
  }
  const bool owes_proxy_line = !connected_ && options_ && options_->proxy_protocol;
  curl_easy_setopt(handle_, CURLOPT_HAPROXYPROTOCOL, owes_proxy_line ? 1L : 0L);
  socket_.attach(handle_, std::move(connected_), [this](int fd) { before_close(fd); });
  set_callbacks();
  finished_ = [this](CURLcode code) { on_finished(code); };
  curl_->add(handle_, &finished_);
}

void HttpProbe::set_callbacks() {
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &HttpProbe::header_callback);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &HttpProbe::body_callback);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle_, CURLOPT_DEBUGFUNCTION, &HttpProbe::debug_callback);
  curl_easy_setopt(handle_, CURLOPT_DEBUGDATA, this);
  if (engine_.transcript != nullptr) curl_easy_setopt(handle_, CURLOPT_VERBOSE, 1L);
}

void HttpProbe::before_close(int fd) {
  note_tcp(fd);
  const bool answered = answer_.header_complete() && !evidence_.timed_out;
  if (answered && engine_.connect_rate.busy(peer_)) close_by_reset(fd);
}

void HttpProbe::note_tcp(int fd) {
  if (fd < 0 || evidence_.unix_socket || evidence_.tcp.known) return;
  evidence_.tcp = read_tcp_evidence(fd);
}

/// The proxy's answer to CONNECT comes first.
bool HttpProbe::take_header(std::string_view line) {
  const Time now = engine_.loop.now();
  if (!evidence_.tunnelled || evidence_.tunnel_open) return answer_.take_header(line, now);
  if (tunnel_.status() == 0 && !line.starts_with("HTTP/")) evidence_.tunnel_garbage = true;
  const bool taken = tunnel_.take_header(line, now);
  evidence_.tunnel_status = tunnel_.status();
  const bool granted = tunnel_.status() >= 200 && tunnel_.status() <= 299;
  evidence_.tunnel_open = tunnel_.header_complete() && granted;
  return taken;
}

std::size_t HttpProbe::header_callback(char* data, std::size_t size, std::size_t count,
                                       void* self) noexcept {
  auto* probe = static_cast<HttpProbe*>(self);
  const std::string_view line(data, size * count);
  return probe->take_header(line) ? line.size() : 0;
}

std::size_t HttpProbe::body_callback(char* data, std::size_t size, std::size_t count,
                                     void* self) noexcept {
  const std::string_view bytes(data, size * count);
  return static_cast<HttpProbe*>(self)->answer_.take_body(bytes) ? bytes.size() : 0;
}

int HttpProbe::debug_callback(CURL* /*handle*/, curl_infotype type, char* data, std::size_t size,
                              void* self) noexcept {
  auto* probe = static_cast<HttpProbe*>(self);
  const std::string_view line(data, size);
  const ProbeEngine& engine = probe->engine_;
  if (engine.transcript != nullptr) transcribe(*engine.transcript, engine.loop.now(), type, line);
  if (type != CURLINFO_TEXT) return 0;
  if (const auto code = stream_error_of(line)) probe->evidence_.stream_error = *code;
  if (const auto alert = received_alert(line)) probe->evidence_.peer_alert = *alert;
  if (read_debug_line(line, probe->tls_)) probe->evidence_.client_cert_requested = true;
  if (!probe->tls_.cipher.empty()) probe->entry_.leave_gate();  // the costly part is over
  return 0;
}

void HttpProbe::on_finished(CURLcode code) {
  ProbeResult result = conclude(code);
  if (wants_certificates(code, result)) return fetch_certificates(std::move(result));
  const bool accepted = result.outcome.error == ErrorClass::none && !result.follow;
  if (accepted && request_->http().patterns.any()) return match(std::move(result));
  deliver(std::move(result));
}

void HttpProbe::deliver(ProbeResult result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

void HttpProbe::deliver_later(ProbeResult result) {
  verdict_ = std::move(result);  // for cancel(), which may come first
  later_ = engine_.loop.after(Duration::zero(), [this] { deliver(std::move(*verdict_)); });
}

ProbeResult HttpProbe::conclude(CURLcode code) {
  if (handle_ == nullptr) return own_trouble("no_handle", "libcurl had no memory for a transfer");
  ProbeResult result;
  Outcome& outcome = result.outcome;
  read_facts(code, outcome);
  if (answer_.header_overflow() || tunnel_.header_overflow()) {
    outcome.error = ErrorClass::headers_too_large;
    outcome.detail = "over_64KiB_or_200_lines";
  } else {
    Classified transfer = classify_transfer(evidence_);
    outcome.error = transfer.error;
    outcome.detail = std::move(transfer.detail);
  }
  if (outcome.error == ErrorClass::none) {
    judge_answer(request_->http(), target_, evidence_, answer_, result);
  } else if (code == CURLE_SSL_CERTPROBLEM) {
    outcome.detail = "client_certificate";
    outcome.message = not_a_pair(error_text_.data());
  } else if (code == CURLE_COULDNT_CONNECT) {
    // Its text names the address that it was given to keep it from resolving.
    if (evidence_.connect_errno != 0) outcome.message = errno_text(evidence_.connect_errno);
  } else if (error_text_[0] != '\0' && !evidence_.timed_out) {
    outcome.message = error_text_.data();
  }
  if (outcome.error != ErrorClass::none) add_proxy_part(outcome);
  drop_handle();
  return result;
}

void HttpProbe::add_proxy_part(Outcome& outcome) const {
  ProxyPart part = proxy_part(evidence_);
  outcome.proxy_failed = part.failed;
  if (!part.message.empty()) outcome.message = std::move(part.message);
}

void HttpProbe::read_facts(CURLcode code, Outcome& outcome) {
  evidence_.code = answer_.body_capped() ? CURLE_OK : code;
  evidence_.header_complete = answer_.header_complete();
  evidence_.error_text = error_text_.data();
  evidence_.asked_version = request_->version(target_);
  evidence_.body_start = answer_.body_start();
  read_transfer(handle_, evidence_);
  if (socket_.error() != 0) evidence_.connect_errno = socket_.error();
  if (evidence_.status != 0) outcome.http = http_facts(evidence_, answer_);
  const Duration tunnel =
      evidence_.tunnel_open ? tunnel_.headers_at() - started_ : Duration::zero();
  outcome.times = read_times(handle_, evidence_, answer_, tunnel, started_, engine_.loop.now());
  if (evidence_.tls) read_tls_facts(code, outcome);
}

void HttpProbe::read_tls_facts(CURLcode code, Outcome& outcome) {
  outcome.server_name = request_->tls_name(target_);
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

void HttpProbe::match(ProbeResult result) {
  const AnswerPatterns& patterns = request_->http().patterns;
  if (match_steps(patterns, answer_.headers(), answer_.body()) > kMaxStepsOnLoop) {
    return match_on_worker(std::move(result));
  }
  apply_mismatch(find_mismatch(patterns, answer_.headers(), answer_.body()), result.outcome);
  deliver(std::move(result));
}

void HttpProbe::match_on_worker(ProbeResult result) {
  result.judged_at = engine_.loop.now();
  verdict_ = std::move(result);
  matching_ = true;
  const std::weak_ptr<bool> alive = alive_;
  const bool begun = engine_.matcher.run([this, alive, patterns = request_->http().patterns,
                                          headers = std::string(answer_.headers()),
                                          body = std::string(answer_.body())]() -> Worker::Then {
    return [this, alive, mismatch = find_mismatch(patterns, headers, body)] {
      if (alive.expired() || !verdict_) return;
      apply_mismatch(mismatch, verdict_->outcome);
      deliver(std::move(*verdict_));
    };
  });
  if (!begun) deliver_later(match_took_long());
}

ProbeResult HttpProbe::match_took_long() {
  matching_ = false;
  return out_of_time_matching(*std::exchange(verdict_, std::nullopt));
}

/// libcurl drops the certificates with a chain that it does not trust.
bool HttpProbe::wants_certificates(CURLcode code, const ProbeResult& result) const {
  if (code != CURLE_PEER_FAILED_VERIFICATION || evidence_.peer_alert != 0) return false;
  if (evidence_.certificates) return false;
  return phase_of(result.outcome.error) == Phase::tls;
}

void HttpProbe::fetch_certificates(ProbeResult verdict) {
  verdict.judged_at = engine_.loop.now();
  lookup_ = std::make_unique<CertificateLookup>(
      engine_, request_, FirstHandshake{target_, peer_, options_, identity_}, verdict.outcome,
      [this](const TlsFacts& facts) { on_certificates(facts); });
  verdict_ = std::move(verdict);
}

void HttpProbe::on_certificates(const TlsFacts& found) {
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
  deliver(std::move(*verdict_));
}

void HttpProbe::drop_handle() {
  if (handle_ == nullptr) return;
  curl_->remove(handle_);
  curl_->release(std::exchange(handle_, nullptr));
}

}  // namespace

ProbeMaker make_http_maker(HttpOptions http, TlsOptions tls) {
  auto request = std::make_shared<const HttpRequest>(std::move(http), std::move(tls));
  return [request](ProbeEngine& engine, const Target& target) -> std::unique_ptr<Probe> {
    return std::make_unique<HttpProbe>(engine, target, request);
  };
}

}  // namespace ua
