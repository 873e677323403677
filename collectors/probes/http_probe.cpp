// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http_probe.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "collectors/probes/http_answer.h"
#include "collectors/probes/http_classify.h"
#include "collectors/probes/http_request.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/tls_facts.h"

namespace ua {
namespace {

constexpr Duration kFactsKept = 1h;  // of a second handshake

class HttpProbe final : public Probe {
 public:
  HttpProbe(ProbeEngine& engine, Target target, std::shared_ptr<const HttpRequest> request)
      : engine_(engine),
        target_(std::move(target)),
        request_(std::move(request)),
        answer_(request_->http().max_body, request_->http().expect_body != nullptr) {}

  ~HttpProbe() override {
    if (handle_ != nullptr) drop_handle();
    if (fd_ >= 0) ::close(fd_);
  }
  HttpProbe(const HttpProbe&) = delete;
  HttpProbe& operator=(const HttpProbe&) = delete;

  void start(Connection connection, Done done) override {
    done_ = std::move(done);
    started_ = connection.connected_at;
    fd_ = connection.fd.release();
    unix_ = connection.peer.family() == AF_UNIX;
    peer_ = connection.peer;
    evidence_.tls = target_.is_tls();
    if (evidence_.tls && !engine_.handshakes.enter(ticket_, [this] { after_waiting(); })) {
      in_line_ = true;
      return;
    }
    begin();
  }

  ProbeResult cancel() override {
    if (verdict_) {  // time ran out in the second handshake: the verdict stands
      dial_.reset();
      if (handle_ != nullptr) drop_handle();
      return std::move(*verdict_);
    }
    if (in_line_) return own_trouble("handshake_queue");
    evidence_.timed_out = true;
    note_tcp();
    return conclude(CURLE_OK);
  }

 private:
  void after_waiting();
  void begin();
  void set_options();
  static ProbeResult own_trouble(std::string_view detail);

  void on_finished(CURLcode code);
  void deliver(ProbeResult result);
  bool wants_second_handshake(CURLcode code, const ProbeResult& result);
  void second_handshake(ProbeResult verdict);
  void on_second_connection(Connection connection);
  void on_second_handshake();
  ProbeResult conclude(CURLcode code);
  void read_times(Outcome& outcome) const;
  void read_facts(CURLcode code, Outcome& outcome);
  void read_http_facts(Outcome& outcome) const;
  void read_tls_facts(CURLcode code, Outcome& outcome);
  void judge(Outcome& outcome);
  std::optional<Target> redirect_target() const;
  void note_tcp();
  void drop_handle();

  static curl_socket_t open_socket(void* self, curlsocktype purpose,
                                   curl_sockaddr* address) noexcept;
  static int set_socket(void* self, curl_socket_t fd, curlsocktype purpose) noexcept;
  static int close_socket(void* self, curl_socket_t fd) noexcept;
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
  CURL* handle_ = nullptr;
  int fd_ = -1;  // ours until libcurl's open callback takes it
  curl_socket_t in_use_ = -1;
  bool unix_ = false;
  Endpoint peer_;
  std::optional<ProbeResult> verdict_;  // set while a second handshake fetches the certificates
  std::unique_ptr<Dial> dial_;
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
  handle_ = engine_.curl.acquire();
  if (handle_ == nullptr) {
    later_ = engine_.loop.after(Duration::zero(), [this] { deliver(own_trouble("no_handle")); });
    return;
  }
  finished_ = [this](CURLcode code) { on_finished(code); };
  set_options();
  engine_.curl.add(handle_, &finished_);
}

ProbeResult HttpProbe::own_trouble(std::string_view detail) {
  ProbeResult result;
  result.outcome.error = ErrorClass::local_resources_exhausted;
  result.outcome.detail = detail;
  return result;
}

void HttpProbe::set_options() {
  request_->set_on(handle_, target_, engine_.curl.ca_bundle());
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(handle_, CURLOPT_OPENSOCKETFUNCTION, &HttpProbe::open_socket);
  curl_easy_setopt(handle_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(handle_, CURLOPT_SOCKOPTFUNCTION, &HttpProbe::set_socket);
  curl_easy_setopt(handle_, CURLOPT_SOCKOPTDATA, this);
  curl_easy_setopt(handle_, CURLOPT_CLOSESOCKETFUNCTION, &HttpProbe::close_socket);
  curl_easy_setopt(handle_, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &HttpProbe::header_callback);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &HttpProbe::body_callback);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle_, CURLOPT_DEBUGFUNCTION, &HttpProbe::debug_callback);
  curl_easy_setopt(handle_, CURLOPT_DEBUGDATA, this);
}

curl_socket_t HttpProbe::open_socket(void* self, curlsocktype /*purpose*/,
                                     curl_sockaddr* /*address*/) noexcept {
  auto* probe = static_cast<HttpProbe*>(self);
  if (probe->fd_ < 0) return CURL_SOCKET_BAD;  // a second attempt gets none
  // libcurl 7.88 connects a Unix socket again, already connected or not: it gets a fresh one, and
  // the connection that was dialled has served as evidence.
  if (probe->unix_) {
    ::close(probe->fd_);
    probe->fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  probe->in_use_ = std::exchange(probe->fd_, -1);
  return probe->in_use_ >= 0 ? probe->in_use_ : CURL_SOCKET_BAD;
}

int HttpProbe::set_socket(void* self, curl_socket_t /*fd*/, curlsocktype /*purpose*/) noexcept {
  return static_cast<HttpProbe*>(self)->unix_ ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ALREADY_CONNECTED;
}

int HttpProbe::close_socket(void* self, curl_socket_t fd) noexcept {
  auto* probe = static_cast<HttpProbe*>(self);
  probe->note_tcp();
  const bool answered = probe->answer_.header_complete() && !probe->evidence_.timed_out;
  if (answered && probe->engine_.connect_rate.busy(probe->peer_)) close_by_reset(fd);
  probe->in_use_ = -1;
  return ::close(fd);
}

void HttpProbe::note_tcp() {
  // A complete header block needs no more evidence from the kernel.
  if (in_use_ < 0 || unix_ || answer_.header_complete() || evidence_.tcp.known) return;
  evidence_.tcp = read_tcp_evidence(in_use_);
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
  if (verdict_) return on_second_handshake();
  ProbeResult result = conclude(code);
  if (wants_second_handshake(code, result)) return second_handshake(std::move(result));
  deliver(std::move(result));
}

void HttpProbe::deliver(ProbeResult result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

/// libcurl drops the certificates with a chain that it does not trust.
bool HttpProbe::wants_second_handshake(CURLcode code, const ProbeResult& result) {
  if (code != CURLE_PEER_FAILED_VERIFICATION || evidence_.certificates) return false;
  return phase_of(result.outcome.error) == Phase::tls;
}

/// Takes the certificates only: nothing is verified and nothing is sent after the handshake.
void HttpProbe::second_handshake(ProbeResult verdict) {
  verdict_ = std::move(verdict);
  const auto known = request_->remembered.find(target_.label + peer_.text());
  if (known != request_->remembered.end() && engine_.loop.now() - known->second.when < kFactsKept) {
    tls_ = known->second.facts;
    later_ = engine_.loop.after(Duration::zero(), [this] { on_second_handshake(); });
    return;
  }
  dial_ = std::make_unique<Dial>(
      engine_.loop, peer_,
      [this](Connection connection) { on_second_connection(std::move(connection)); },
      [this](const DialFailure&) { deliver(std::move(*verdict_)); });
}

void HttpProbe::on_second_connection(Connection connection) {
  handle_ = engine_.curl.acquire();
  if (handle_ == nullptr) return deliver(std::move(*verdict_));
  fd_ = connection.fd.release();
  tls_ = {};
  set_options();
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(handle_, CURLOPT_CONNECT_ONLY, 1L);
  engine_.curl.add(handle_, &finished_);
}

void HttpProbe::on_second_handshake() {
  if (handle_ != nullptr) {
    read_certificates(handle_, tls_);
    drop_handle();
    request_->remembered[target_.label + peer_.text()] = {engine_.loop.now(), tls_};
  }
  if (tls_.certificate) {
    TlsFacts facts = tls_;
    facts.verified = false;
    facts.from_second_handshake = true;
    if (verdict_->outcome.tls) facts.verify_error = verdict_->outcome.tls->verify_error;
    verdict_->outcome.tls = std::move(facts);
  }
  deliver(std::move(*verdict_));
}

ProbeResult HttpProbe::conclude(CURLcode code) {
  ProbeResult result;
  Outcome& outcome = result.outcome;
  if (handle_ == nullptr) return own_trouble("no_handle");
  read_facts(code, outcome);
  read_times(outcome);
  if (answer_.header_overflow()) {
    outcome.error = ErrorClass::headers_too_large;
    outcome.detail = "over_64KiB_or_200_lines";
  } else {
    Classified transfer = classify_transfer(evidence_);
    outcome.error = transfer.error;
    outcome.detail = std::move(transfer.detail);
  }
  if (outcome.error == ErrorClass::none) {
    if (!request_->remembered.empty()) {  // a later failure may show another certificate
      request_->remembered.erase(target_.label + peer_.text());
    }
    result.follow = redirect_target();
    if (!result.follow) judge(outcome);
  } else if (error_text_[0] != '\0') {
    outcome.message = error_text_.data();
  }
  drop_handle();
  return result;
}

void HttpProbe::read_facts(CURLcode code, Outcome& outcome) {
  evidence_.code = answer_.body_capped() ? CURLE_OK : code;
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  evidence_.status = static_cast<int>(status);
  long request_size = 0;
  curl_easy_getinfo(handle_, CURLINFO_REQUEST_SIZE, &request_size);
  evidence_.request_sent = request_size > 0;
  evidence_.header_complete = answer_.header_complete();
  evidence_.error_text = error_text_.data();
  evidence_.body_start = answer_.body_start();
  if (evidence_.status != 0) read_http_facts(outcome);
  if (evidence_.tls) read_tls_facts(code, outcome);
}

void HttpProbe::read_http_facts(Outcome& outcome) const {
  long version = 0;
  curl_easy_getinfo(handle_, CURLINFO_HTTP_VERSION, &version);
  HttpFacts facts;
  facts.status_code = evidence_.status;
  facts.version = version == CURL_HTTP_VERSION_1_0   ? 1.0
                  : version == CURL_HTTP_VERSION_1_1 ? 1.1
                  : version == CURL_HTTP_VERSION_2_0 ? 2.0
                                                     : 0.0;
  facts.body_bytes = answer_.body_bytes();
  outcome.http = facts;
}

void HttpProbe::read_tls_facts(CURLcode code, Outcome& outcome) {
  curl_off_t handshake = 0;
  curl_easy_getinfo(handle_, CURLINFO_APPCONNECT_TIME_T, &handshake);
  evidence_.handshake_done = handshake > 0;
  curl_easy_getinfo(handle_, CURLINFO_SSL_VERIFYRESULT, &evidence_.verify_result);
  read_certificates(handle_, tls_);
  evidence_.certificates = tls_.certificate.has_value();
  tls_.verified = evidence_.handshake_done && !request_->tls().insecure_skip_verify;
  if (code == CURLE_PEER_FAILED_VERIFICATION) tls_.verify_error = error_text_.data();
  if (evidence_.handshake_done || evidence_.certificates || !tls_.verify_error.empty()) {
    outcome.tls = tls_;
  }
}

void HttpProbe::read_times(Outcome& outcome) const {
  const auto read = [&](CURLINFO what) {
    curl_off_t value = 0;
    curl_easy_getinfo(handle_, what, &value);
    return std::chrono::microseconds(value);
  };
  const Duration handshake = read(CURLINFO_APPCONNECT_TIME_T);
  const Duration ready = read(CURLINFO_PRETRANSFER_TIME_T);
  const Time now = engine_.loop.now();
  if (evidence_.handshake_done) outcome.times.set(TimedPhase::tls, handshake);
  if (ready == Duration::zero() || !evidence_.request_sent) return;
  outcome.times.set(TimedPhase::request, std::max(ready - handshake, Duration::zero()));
  if (!evidence_.header_complete) return;
  outcome.times.set(TimedPhase::response_headers,
                    std::max<Duration>(answer_.headers_at() - started_ - ready, Duration::zero()));
  const bool whole = !evidence_.timed_out && evidence_.code == CURLE_OK;
  if (whole) outcome.times.set(TimedPhase::response_body, now - answer_.headers_at());
}

void HttpProbe::judge(Outcome& outcome) {
  const HttpOptions& http = request_->http();
  const int status = evidence_.status;
  Classified by_status =
      classify_status(status, http.expect_status.contains(status), evidence_.body_start);
  outcome.error = by_status.error;
  outcome.detail = std::move(by_status.detail);
  if (answer_.body_capped()) add_detail(outcome, "body_capped");
  if (outcome.error != ErrorClass::none || !http.expect_body) return;
  if (re2::RE2::PartialMatch(answer_.body(), *http.expect_body)) return;
  outcome.error = ErrorClass::content_mismatch;
  add_detail(outcome, "expect_body");
}

std::optional<Target> HttpProbe::redirect_target() const {
  const int status = evidence_.status;
  if (!request_->http().follow_redirects || status < 300 || status > 399 ||
      answer_.location().empty()) {
    return std::nullopt;
  }
  const Result<Target> target = resolve_location(target_, answer_.location());
  return target ? std::optional(*target) : std::nullopt;
}

void HttpProbe::drop_handle() {
  if (verdict_) curl_easy_setopt(handle_, CURLOPT_CONNECT_ONLY, 0L);
  engine_.curl.remove(handle_);
  engine_.curl.release(std::exchange(handle_, nullptr));
}

}  // namespace

ProbeMaker make_http_maker(HttpOptions http, TlsOptions tls) {
  auto request = std::make_shared<const HttpRequest>(std::move(http), std::move(tls));
  return [request](ProbeEngine& engine, const Target& target) -> std::unique_ptr<Probe> {
    return std::make_unique<HttpProbe>(engine, target, request);
  };
}

}  // namespace ua
