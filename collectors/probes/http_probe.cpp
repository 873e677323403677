// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http_probe.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "collectors/core/text.h"
#include "collectors/probes/http_classify.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/tls_facts.h"

namespace ua {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr unsigned kMaxHeaderLines = 200;
constexpr std::size_t kStartOfBody = 512;  // enough to recognise a telltale error page

struct SlistFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Slist = std::unique_ptr<curl_slist, SlistFree>;

void append(Slist& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

bool is_ip_literal(const std::string& host) { return ip_endpoint(host, 0).has_value(); }

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

struct RememberedFacts {
  Time when;
  TlsFacts facts;
};
constexpr Duration kFactsKept = 1h;

/// Everything a target's requests have in common, made once when the configuration is read.
struct HttpSettings {
  HttpOptions http;
  TlsOptions tls;
  Slist headers;
  Slist foreign_headers;  // for another origin: nothing of ours goes there
  bool own_user_agent = false;
  /// What second handshakes found, by target and address; loop thread. They cost the upstream a
  /// connection, so one an hour is made while a chain stays untrusted.
  mutable std::map<std::string, RememberedFacts> remembered;

  HttpSettings(HttpOptions h, TlsOptions t) : http(std::move(h)), tls(std::move(t)) {
    for (Slist* list : {&headers, &foreign_headers}) {
      append(*list, "Connection: close");
      append(*list, "Accept: */*");
    }
    if (!http.host.empty()) append(headers, "Host: " + http.host);
    if (!http.bearer_token.empty()) append(headers, "Authorization: Bearer " + http.bearer_token);
    for (const auto& [key, value] : http.headers) {
      own_user_agent = own_user_agent || iequals(key, "User-Agent");
      append(headers, value.empty() ? key + ';' : key + ": " + value);
    }
  }
};

class HttpProbe final : public Probe {
 public:
  HttpProbe(ProbeEngine& engine, Target target, std::shared_ptr<const HttpSettings> settings)
      : engine_(engine), target_(std::move(target)), settings_(std::move(settings)) {}

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
    handle_ = engine_.curl.acquire();
    if (handle_ == nullptr) {
      give_up_ = engine_.loop.after(Duration::zero(), [this] { finish_without_handle(); });
      return;
    }
    finished_ = [this](CURLcode code) { on_finished(code); };
    set_options();
    engine_.curl.add(handle_, &finished_);
  }

  ProbeResult cancel() override {
    if (verdict_) {  // time ran out in the second handshake: the verdict stands
      dial_.reset();
      if (handle_ != nullptr) drop_handle();
      return std::move(*verdict_);
    }
    evidence_.timed_out = true;
    note_tcp();
    return conclude(CURLE_OK);
  }

 private:
  void set_options();
  void set_tls_options();
  std::string url() const;
  const std::string& tls_name() const {
    if (target_.foreign_origin) return target_.host;
    if (!settings_->tls.server_name.empty()) return settings_->tls.server_name;
    return settings_->http.host.empty() || is_ip_literal(host_of_header()) ? target_.host
                                                                           : host_of_header();
  }
  const std::string& host_of_header() const { return host_only_; }

  void on_finished(CURLcode code);
  void finish_without_handle();
  void deliver(ProbeResult result);
  bool wants_second_handshake(CURLcode code, const ProbeResult& result);
  void second_handshake(ProbeResult verdict);
  void on_second_connection(Connection connection);
  void on_second_handshake();
  ProbeResult conclude(CURLcode code);
  void read_times(Outcome& outcome) const;
  void read_facts(CURLcode code, Outcome& outcome);
  void judge(Outcome& outcome);
  std::optional<Target> redirect_target() const;
  void note_tcp();
  void drop_handle();

  std::size_t on_header(std::string_view line);
  std::size_t on_body(std::string_view data);

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
  std::shared_ptr<const HttpSettings> settings_;
  Done done_;
  std::function<void(CURLcode)> finished_;
  CURL* handle_ = nullptr;
  int fd_ = -1;  // ours until libcurl's open callback takes it
  curl_socket_t in_use_ = -1;
  bool unix_ = false;
  std::string host_only_;
  Endpoint peer_;
  std::optional<ProbeResult> verdict_;  // set while a second handshake fetches the certificates
  std::unique_ptr<Dial> dial_;
  Timer finish_later_;
  Time started_;
  Time headers_at_;
  Timer give_up_;
  HttpEvidence evidence_;
  TlsFacts tls_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  std::size_t header_bytes_ = 0;
  unsigned header_lines_ = 0;
  bool header_overflow_ = false;
  int status_of_block_ = 0;
  std::string location_;
  std::uint64_t body_bytes_ = 0;
  bool body_capped_ = false;
  std::string body_;  // whole up to max_body where expect_body is set, else its start
};

std::string HttpProbe::url() const {
  // The URL's host is what TLS asks for (SNI) and verifies; the Host header is set apart.
  const bool tls = target_.is_tls();
  const std::string host = tls ? tls_name() : (target_.is_unix() ? "localhost" : target_.host);
  const std::string port = target_.is_unix() ? "" : ':' + std::to_string(target_.port);
  return (tls ? "https://" : "http://") + bracketed(host) + port + target_.path;
}

void HttpProbe::set_options() {
  const HttpOptions& http = settings_->http;
  if (!http.host.empty()) {
    const std::size_t colon = http.host.rfind(':');
    const bool port = colon != std::string::npos && http.host.find(']', colon) == std::string::npos;
    host_only_ = port ? http.host.substr(0, colon) : http.host;
  }
  evidence_.tls = target_.is_tls();
  curl_easy_setopt(handle_, CURLOPT_URL, url().c_str());
  // libcurl must know the family of the socket that it is handed.
  curl_easy_setopt(handle_, CURLOPT_UNIX_SOCKET_PATH,
                   target_.is_unix() ? target_.unix_path.c_str() : nullptr);
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
  curl_easy_setopt(
      handle_, CURLOPT_HTTPHEADER,
      (target_.foreign_origin ? settings_->foreign_headers : settings_->headers).get());
  curl_easy_setopt(handle_, CURLOPT_USERAGENT,
                   settings_->own_user_agent && !target_.foreign_origin
                       ? nullptr
                       : "upstream-agent/" UA_VERSION);
  curl_easy_setopt(handle_, CURLOPT_NOBODY, http.method == "HEAD" ? 1L : 0L);
  if (http.method == "GET") {
    curl_easy_setopt(handle_, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, nullptr);
  } else {
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, http.method.c_str());
  }
  const bool basic = !http.basic_auth.empty() && !target_.foreign_origin;
  curl_easy_setopt(handle_, CURLOPT_HTTPAUTH, basic ? CURLAUTH_BASIC : CURLAUTH_NONE);
  curl_easy_setopt(handle_, CURLOPT_USERPWD, basic ? http.basic_auth.c_str() : nullptr);
  set_tls_options();
}

void HttpProbe::set_tls_options() {
  const long on = target_.is_tls() ? 1L : 0L;
  const TlsOptions& tls = settings_->tls;
  curl_easy_setopt(handle_, CURLOPT_CERTINFO, on);
  curl_easy_setopt(handle_, CURLOPT_VERBOSE, on);  // the debug text tells protocol and demands
  if (on == 0) return;
  curl_easy_setopt(handle_, CURLOPT_DEBUGFUNCTION, &HttpProbe::debug_callback);
  curl_easy_setopt(handle_, CURLOPT_DEBUGDATA, this);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
  const std::string& bundle = tls.ca_file.empty() ? engine_.curl.ca_bundle() : tls.ca_file;
  if (!bundle.empty()) curl_easy_setopt(handle_, CURLOPT_CAINFO, bundle.c_str());
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
  probe->in_use_ = -1;
  return ::close(fd);
}

void HttpProbe::note_tcp() {
  // A complete header block needs no more evidence from the kernel.
  if (in_use_ < 0 || unix_ || evidence_.header_complete || evidence_.tcp.known) return;
  evidence_.tcp = read_tcp_evidence(in_use_);
}

std::size_t HttpProbe::header_callback(char* data, std::size_t size, std::size_t count,
                                       void* self) noexcept {
  return static_cast<HttpProbe*>(self)->on_header({data, size * count});
}

std::size_t HttpProbe::on_header(std::string_view line) {
  header_bytes_ += line.size();
  ++header_lines_;
  if (header_bytes_ > kMaxHeaderBytes || header_lines_ > kMaxHeaderLines) {
    header_overflow_ = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    location_.clear();
    const std::size_t space = line.find(' ');
    status_of_block_ = 0;
    for (std::size_t i = space + 1; space != std::string_view::npos && i < line.size(); ++i) {
      if (line[i] < '0' || line[i] > '9' || status_of_block_ > 999) break;
      status_of_block_ = status_of_block_ * 10 + (line[i] - '0');
    }
    return line.size();
  }
  if (trim(line).empty()) {
    // An interim (1xx) block is not the answer.
    if (status_of_block_ < 100 || status_of_block_ > 199 || status_of_block_ == 101) {
      evidence_.header_complete = true;
      headers_at_ = engine_.loop.now();
    }
    return line.size();
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && iequals(line.substr(0, colon), "location")) {
    location_ = trim(line.substr(colon + 1));
  }
  return line.size();
}

std::size_t HttpProbe::body_callback(char* data, std::size_t size, std::size_t count,
                                     void* self) noexcept {
  return static_cast<HttpProbe*>(self)->on_body({data, size * count});
}

std::size_t HttpProbe::on_body(std::string_view data) {
  const HttpOptions& http = settings_->http;
  const std::uint64_t room = http.max_body - std::min(http.max_body, body_bytes_);
  const std::string_view taken =
      data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, data.size())));
  body_bytes_ += taken.size();
  const std::size_t keep =
      http.expect_body ? static_cast<std::size_t>(http.max_body) : kStartOfBody;
  if (body_.size() < keep) body_ += taken.substr(0, keep - body_.size());
  if (taken.size() == data.size()) return data.size();
  body_capped_ = true;  // enough seen: ends the transfer, not the verdict
  return 0;
}

int HttpProbe::debug_callback(CURL* /*handle*/, curl_infotype type, char* data, std::size_t size,
                              void* self) noexcept {
  if (type != CURLINFO_TEXT) return 0;
  auto* probe = static_cast<HttpProbe*>(self);
  if (read_debug_line({data, size}, probe->tls_)) probe->evidence_.client_cert_requested = true;
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
  const auto known = settings_->remembered.find(target_.label + peer_.text());
  if (known != settings_->remembered.end() &&
      engine_.loop.now() - known->second.when < kFactsKept) {
    tls_ = known->second.facts;
    finish_later_ = engine_.loop.after(Duration::zero(), [this] { on_second_handshake(); });
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
    settings_->remembered[target_.label + peer_.text()] = {engine_.loop.now(), tls_};
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

void HttpProbe::finish_without_handle() {
  ProbeResult result;
  result.outcome.error = ErrorClass::local_resources_exhausted;
  result.outcome.detail = "no_handle";
  const Done done = std::move(done_);
  done(std::move(result));
}

ProbeResult HttpProbe::conclude(CURLcode code) {
  ProbeResult result;
  Outcome& outcome = result.outcome;
  if (handle_ == nullptr) return result;
  read_facts(code, outcome);
  read_times(outcome);
  if (header_overflow_) {
    outcome.error = ErrorClass::headers_too_large;
    outcome.detail = "over_64KiB_or_200_lines";
  } else {
    Classified transfer = classify_transfer(evidence_);
    outcome.error = transfer.error;
    outcome.detail = std::move(transfer.detail);
  }
  if (outcome.error == ErrorClass::none) {
    if (!settings_->remembered.empty()) {  // a later failure may show another certificate
      settings_->remembered.erase(target_.label + peer_.text());
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
  evidence_.code = body_capped_ ? CURLE_OK : code;
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  evidence_.status = static_cast<int>(status);
  long request_size = 0;
  curl_easy_getinfo(handle_, CURLINFO_REQUEST_SIZE, &request_size);
  evidence_.request_sent = request_size > 0;
  evidence_.error_text = error_text_.data();
  evidence_.body_start = std::string_view(body_).substr(0, kStartOfBody);
  if (evidence_.status != 0) {
    long version = 0;
    curl_easy_getinfo(handle_, CURLINFO_HTTP_VERSION, &version);
    HttpFacts facts;
    facts.status_code = evidence_.status;
    facts.version = version == CURL_HTTP_VERSION_1_0   ? 1.0
                    : version == CURL_HTTP_VERSION_1_1 ? 1.1
                    : version == CURL_HTTP_VERSION_2_0 ? 2.0
                                                       : 0.0;
    facts.body_bytes = body_bytes_;
    outcome.http = facts;
  }
  if (!evidence_.tls) return;
  curl_off_t handshake = 0;
  curl_easy_getinfo(handle_, CURLINFO_APPCONNECT_TIME_T, &handshake);
  evidence_.handshake_done = handshake > 0;
  curl_easy_getinfo(handle_, CURLINFO_SSL_VERIFYRESULT, &evidence_.verify_result);
  read_certificates(handle_, tls_);
  evidence_.certificates = tls_.certificate.has_value();
  tls_.verified = evidence_.handshake_done && !settings_->tls.insecure_skip_verify;
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
                    std::max<Duration>(headers_at_ - started_ - ready, Duration::zero()));
  const bool whole = !evidence_.timed_out && evidence_.code == CURLE_OK;
  if (whole) outcome.times.set(TimedPhase::response_body, now - headers_at_);
}

void HttpProbe::judge(Outcome& outcome) {
  const HttpOptions& http = settings_->http;
  const int status = evidence_.status;
  Classified by_status =
      classify_status(status, http.expect_status.contains(status), evidence_.body_start);
  outcome.error = by_status.error;
  outcome.detail = std::move(by_status.detail);
  if (body_capped_) add_detail(outcome, "body_capped");
  if (outcome.error != ErrorClass::none || !http.expect_body) return;
  if (re2::RE2::PartialMatch(body_, *http.expect_body)) return;
  outcome.error = ErrorClass::content_mismatch;
  add_detail(outcome, "expect_body");
}

std::optional<Target> HttpProbe::redirect_target() const {
  const int status = evidence_.status;
  if (!settings_->http.follow_redirects || status < 300 || status > 399 || location_.empty()) {
    return std::nullopt;
  }
  const Result<Target> target = resolve_location(target_, location_);
  return target ? std::optional(*target) : std::nullopt;
}

void HttpProbe::drop_handle() {
  if (verdict_) curl_easy_setopt(handle_, CURLOPT_CONNECT_ONLY, 0L);
  engine_.curl.remove(handle_);
  engine_.curl.release(std::exchange(handle_, nullptr));
}

}  // namespace

ProbeMaker make_http_maker(HttpOptions http, TlsOptions tls) {
  auto settings = std::make_shared<const HttpSettings>(std::move(http), std::move(tls));
  return [settings](ProbeEngine& engine, const Target& target) -> std::unique_ptr<Probe> {
    return std::make_unique<HttpProbe>(engine, target, settings);
  };
}

}  // namespace ua
