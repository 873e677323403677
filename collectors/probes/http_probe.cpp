// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http_probe.h"

#include <array>
#include <string>

#include "collectors/core/text.h"
#include "collectors/probes/certificate_fetch.h"
#include "collectors/probes/curl_socket.h"
#include "collectors/probes/http_answer.h"
#include "collectors/probes/http_classify.h"
#include "collectors/probes/http_facts.h"
#include "collectors/probes/http_request.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/tls_facts.h"

namespace ua {
namespace {

constexpr Duration kFactsKept = 1h;  // of a second handshake
// Steps of a pattern over a body, each some nanoseconds at worst: above this not on the loop.
constexpr std::uint64_t kMaxSteps = 1'000'000;

class HttpProbe final : public Probe {
 public:
  HttpProbe(ProbeEngine& engine, Target target, std::shared_ptr<const HttpRequest> request)
      : engine_(engine),
        target_(std::move(target)),
        request_(std::move(request)),
        answer_(request_->http().max_body, request_->http().expect_body != nullptr) {}

  ~HttpProbe() override { drop_handle(); }
  HttpProbe(const HttpProbe&) = delete;
  HttpProbe& operator=(const HttpProbe&) = delete;

  void start(Connection connection, Done done) override {
    done_ = std::move(done);
    started_ = connection.connected_at;
    connected_ = std::move(connection.fd);
    peer_ = connection.peer;
    wants_proxy_line_ = connection.wants_proxy_line;
    evidence_.tls = target_.is_tls();
    evidence_.unix_socket = target_.is_unix();
    if (evidence_.tls && !engine_.handshakes.enter(ticket_, [this] { after_waiting(); })) {
      in_line_ = true;
      return;
    }
    begin();
  }

  ProbeResult cancel() override {
    if (in_line_) return own_trouble("handshake_queue", "too many TLS handshakes at once");
    if (matching_) return out_of_time_matching();
    if (verdict_) {  // it stands without the certificates
      fetch_.reset();
      return std::move(*verdict_);
    }
    evidence_.timed_out = true;
    note_tcp(socket_.fd());
    return conclude(CURLE_OK);
  }

 private:
  void after_waiting();
  void begin();
  void set_callbacks();
  static ProbeResult own_trouble(std::string_view detail, std::string_view message);

  void on_finished(CURLcode code);
  void deliver(ProbeResult result);
  void deliver_later(ProbeResult result);
  ProbeResult conclude(CURLcode code);
  void read_facts(CURLcode code, Outcome& outcome);
  void read_tls_facts(CURLcode code, Outcome& outcome);
  void judge(ProbeResult& result) const;
  void judge_redirect(ProbeResult& result) const;

  bool match_takes_long() const;
  void match_on_worker(ProbeResult result);
  ProbeResult out_of_time_matching();

  bool wants_certificates(CURLcode code, const ProbeResult& result) const;
  void fetch_certificates(ProbeResult verdict);
  void on_certificates(const TlsFacts& facts);
  std::string memory_key(const Outcome& outcome) const;

  void note_tcp(int fd);
  void before_close(int fd);
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
  HandshakeGate::Ticket ticket_;
  bool in_line_ = false;  // for a handshake
  std::shared_ptr<CurlMulti> curl_;
  CURL* handle_ = nullptr;
  UniqueFd connected_;
  CurlSocket socket_;
  Endpoint peer_;
  bool wants_proxy_line_ = false;
  // Set while something follows the exchange: the certificates are fetched, or a body is matched.
  std::optional<ProbeResult> verdict_;
  std::unique_ptr<CertificateFetch> fetch_;
  bool matching_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what the worker hands back
  Timer later_;
  Time started_;
  HttpEvidence evidence_;
  TlsFacts tls_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  HttpAnswer answer_;
};

/// The wait was this host's, not the upstream's: the exchange's time starts now.
void HttpProbe::after_waiting() {
  in_line_ = false;
  started_ = engine_.loop.now();
  begin();
}

void HttpProbe::begin() {
  const bool verified = evidence_.tls && !request_->tls().insecure_skip_verify;
  const std::string ca_file = verified ? request_->ca_file() : "";
  if (verified && ca_file.empty()) {
    ProbeResult result = own_trouble(
        "no_ca_bundle", "no root certificates here: install ca-certificates, or set tls.ca_file");
    result.outcome.error = ErrorClass::config_invalid;
    return deliver_later(std::move(result));
  }
  curl_ = verified ? engine_.curl.trusting(ca_file) : engine_.curl.plain();
  handle_ = curl_->acquire();
  if (handle_ == nullptr) {
    return deliver_later(own_trouble("no_handle", "libcurl had no memory for a transfer"));
  }
  request_->set_on(handle_, target_);
  socket_.attach(handle_, std::move(connected_), [this](int fd) { before_close(fd); });
  set_callbacks();
  if (wants_proxy_line_) curl_easy_setopt(handle_, CURLOPT_HAPROXYPROTOCOL, 1L);
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
}

ProbeResult HttpProbe::own_trouble(std::string_view detail, std::string_view message) {
  ProbeResult result;
  result.outcome.error = ErrorClass::local_resources_exhausted;
  result.outcome.detail = detail;
  result.outcome.message = message;
  return result;
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

std::size_t HttpProbe::header_callback(char* data, std::size_t size, std::size_t count,
                                       void* self) noexcept {
  auto* probe = static_cast<HttpProbe*>(self);
  const std::string_view line(data, size * count);
  return probe->answer_.take_header(line, probe->engine_.loop.now()) ? line.size() : 0;
}

std::size_t HttpProbe::body_callback(char* data, std::size_t size, std::size_t count,
                                     void* self) noexcept {
  const std::string_view bytes(data, size * count);
  return static_cast<HttpProbe*>(self)->answer_.take_body(bytes) ? bytes.size() : 0;
}

int HttpProbe::debug_callback(CURL* /*handle*/, curl_infotype type, char* data, std::size_t size,
                              void* self) noexcept {
  if (type != CURLINFO_TEXT) return 0;
  auto* probe = static_cast<HttpProbe*>(self);
  if (read_debug_line({data, size}, probe->tls_)) probe->evidence_.client_cert_requested = true;
  if (!probe->tls_.cipher.empty()) probe->ticket_.leave();  // the costly part is over
  return 0;
}

void HttpProbe::on_finished(CURLcode code) {
  ProbeResult result = conclude(code);
  if (wants_certificates(code, result)) return fetch_certificates(std::move(result));
  if (result.outcome.error == ErrorClass::none && !result.follow && request_->http().expect_body &&
      match_takes_long()) {
    return match_on_worker(std::move(result));
  }
  deliver(std::move(result));
}

void HttpProbe::deliver(ProbeResult result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

void HttpProbe::deliver_later(ProbeResult result) {
  later_ =
      engine_.loop.after(Duration::zero(), [this, result = std::move(result)] { deliver(result); });
}

ProbeResult HttpProbe::conclude(CURLcode code) {
  if (handle_ == nullptr) return own_trouble("no_handle", "libcurl had no memory for a transfer");
  ProbeResult result;
  Outcome& outcome = result.outcome;
  read_facts(code, outcome);
  if (answer_.header_overflow()) {
    outcome.error = ErrorClass::headers_too_large;
    outcome.detail = "over_64KiB_or_200_lines";
  } else {
    Classified transfer = classify_transfer(evidence_);
    outcome.error = transfer.error;
    outcome.detail = std::move(transfer.detail);
  }
  if (outcome.error == ErrorClass::none) {
    judge(result);
  } else if (code == CURLE_COULDNT_CONNECT) {
    // Its text names the address that it was given to keep it from resolving.
    if (evidence_.connect_errno != 0) outcome.message = errno_text(evidence_.connect_errno);
  } else if (error_text_[0] != '\0' && !evidence_.timed_out) {
    outcome.message = error_text_.data();
  }
  drop_handle();
  return result;
}

void HttpProbe::read_facts(CURLcode code, Outcome& outcome) {
  evidence_.code = answer_.body_capped() ? CURLE_OK : code;
  evidence_.header_complete = answer_.header_complete();
  evidence_.error_text = error_text_.data();
  evidence_.body_start = answer_.body_start();
  read_transfer(handle_, evidence_);
  if (socket_.error() != 0) evidence_.connect_errno = socket_.error();
  if (evidence_.status != 0) outcome.http = read_http_facts(handle_, evidence_, answer_);
  outcome.times = read_times(handle_, evidence_, answer_, started_, engine_.loop.now());
  if (evidence_.tls) read_tls_facts(code, outcome);
}

void HttpProbe::read_tls_facts(CURLcode code, Outcome& outcome) {
  outcome.server_name = request_->tls_name(target_);
  read_certificates(handle_, tls_);
  evidence_.certificates = tls_.certificate.has_value();
  tls_.verified = evidence_.handshake_done && !request_->tls().insecure_skip_verify;
  if (code == CURLE_PEER_FAILED_VERIFICATION) tls_.verify_error = error_text_.data();
  if (evidence_.handshake_done || evidence_.certificates || !tls_.verify_error.empty()) {
    outcome.tls = tls_;
  }
}

void HttpProbe::judge(ProbeResult& result) const {
  const HttpOptions& http = request_->http();
  const int status = evidence_.status;
  const bool redirect =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (http.follow_redirects && redirect) return judge_redirect(result);
  Classified by_status =
      classify_status(status, http.expect_status.contains(status), evidence_.body_start);
  Outcome& outcome = result.outcome;
  outcome.error = by_status.error;
  outcome.detail = std::move(by_status.detail);
  if (answer_.body_capped()) add_detail(outcome, "body_capped");
  if (outcome.error != ErrorClass::none || !http.expect_body || match_takes_long()) return;
  if (re2::RE2::PartialMatch(answer_.body(), *http.expect_body)) return;
  outcome.error = ErrorClass::content_mismatch;
  add_detail(outcome, "expect_body");
}

void HttpProbe::judge_redirect(ProbeResult& result) const {
  Result<Target> to = fail("there is no Location");
  if (!answer_.location().empty()) to = resolve_location(target_, answer_.location());
  if (to) {
    result.follow = std::move(*to);
    return;
  }
  result.outcome.error = ErrorClass::content_mismatch;
  result.outcome.detail = "redirect";
  result.outcome.message =
      "status " + std::to_string(evidence_.status) + " leads nowhere: " + to.error().message;
}

bool HttpProbe::match_takes_long() const {
  const auto steps = static_cast<std::uint64_t>(request_->http().expect_body->ProgramSize()) *
                     answer_.body().size();
  return steps > kMaxSteps;
}

/// A megabyte and a pattern with counted repetitions take seconds: not on the loop.
void HttpProbe::match_on_worker(ProbeResult result) {
  result.judged_at = engine_.loop.now();
  verdict_ = std::move(result);
  matching_ = true;
  const std::weak_ptr<bool> alive = alive_;
  const bool begun = engine_.matcher.run([this, alive, pattern = request_->http().expect_body,
                                          body = std::string(answer_.body())]() -> Worker::Then {
    const bool found = re2::RE2::PartialMatch(body, *pattern);
    return [this, alive, found] {
      if (alive.expired() || !verdict_) return;
      if (!found) {
        verdict_->outcome.error = ErrorClass::content_mismatch;
        add_detail(verdict_->outcome, "expect_body");
      }
      deliver(std::move(*verdict_));
    };
  });
  if (!begun) deliver_later(out_of_time_matching());
}

ProbeResult HttpProbe::out_of_time_matching() {
  ProbeResult result = std::move(*verdict_);
  verdict_.reset();
  matching_ = false;
  Outcome& outcome = result.outcome;
  outcome.error = ErrorClass::local_resources_exhausted;
  outcome.detail = "expect_body";
  outcome.message =
      "the answer came in time, but expect_body took too long on it: simplify the "
      "pattern or lower max_body";
  return result;
}

/// libcurl drops the certificates with a chain that it does not trust.
bool HttpProbe::wants_certificates(CURLcode code, const ProbeResult& result) const {
  if (code != CURLE_PEER_FAILED_VERIFICATION || evidence_.certificates) return false;
  return phase_of(result.outcome.error) == Phase::tls;
}

std::string HttpProbe::memory_key(const Outcome& outcome) const {
  return peer_.text() + ' ' + request_->tls_name(target_) + ' ' + outcome.detail + ' ' +
         outcome.message;
}

void HttpProbe::fetch_certificates(ProbeResult verdict) {
  verdict.judged_at = engine_.loop.now();
  const std::string key = memory_key(verdict.outcome);
  verdict_ = std::move(verdict);
  auto& remembered = request_->remembered;
  const auto known = remembered.find(key);
  if (known != remembered.end() && engine_.loop.now() - known->second.when < kFactsKept) {
    later_ = engine_.loop.after(Duration::zero(),
                                [this, facts = known->second.facts] { on_certificates(facts); });
    return;
  }
  if (remembered.size() >= HttpRequest::kMaxRemembered) remembered.clear();
  remembered[key] = {engine_.loop.now(), {}};  // an attempt that comes to nothing counts as one
  fetch_ = std::make_unique<CertificateFetch>(
      engine_, request_, target_, peer_, [this, key](const TlsFacts& facts) {
        request_->remembered[key] = {engine_.loop.now(), facts};
        later_ = engine_.loop.after(Duration::zero(), [this, facts] { on_certificates(facts); });
      });
}

void HttpProbe::on_certificates(const TlsFacts& found) {
  if (found.certificate) {
    TlsFacts facts = found;
    facts.verified = false;
    facts.from_second_handshake = true;
    if (verdict_->outcome.tls) facts.verify_error = verdict_->outcome.tls->verify_error;
    verdict_->outcome.tls = std::move(facts);
  }
  fetch_.reset();
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
