// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/fastcgi/fastcgi_probe.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/answer/pattern_match.h"
#include "collectors/probes/fastcgi/fastcgi_judge.h"
#include "collectors/probes/fastcgi/fastcgi_message.h"
#include "collectors/probes/http/http_trouble.h"
#include "collectors/probes/net/socket_evidence.h"
#include "collectors/probes/net/stream.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/transcript.h"

namespace ua {
namespace {

class FastcgiProbe final : public Probe {
 public:
  FastcgiProbe(ProbeEngine& engine, const Target& target,
               std::shared_ptr<const FastcgiOptions> options)
      : engine_(engine),
        target_(target),
        options_(std::move(options)),
        answer_(options_->max_body, options_->patterns.of_body(),
                !options_->patterns.expect_header.empty()) {}

  void start(Connection connection, Done done) override;
  ProbeResult cancel() override;

 private:
  void on_sent();
  void on_received(std::string_view bytes);
  void on_ended(Stream::End end);
  void judge();
  void match(ProbeResult result);
  void finish(ProbeResult result);
  void close();
  ProbeResult result_so_far() const;

  ProbeEngine& engine_;
  Target target_;
  std::shared_ptr<const FastcgiOptions> options_;
  Done done_;
  Endpoint peer_;
  std::optional<Stream> stream_;
  FastcgiAnswer answer_;
  PatternMatch match_;
  std::optional<ProbeResult> matching_;  // the verdict that stands where the patterns are met
  Time started_;
  std::optional<Time> sent_;
};

void FastcgiProbe::start(Connection connection, Done done) {
  done_ = std::move(done);
  peer_ = connection.peer;
  started_ = connection.connected_at;
  stream_.emplace(
      engine_.loop, std::move(connection.fd),
      Stream::Events{[this] { on_sent(); }, [this](std::string_view bytes) { on_received(bytes); },
                     [this](Stream::End end) { on_ended(end); }});
  const std::string request = fastcgi_probe_request(*options_, target_);
  stream_->send(request);
  if (engine_.transcript == nullptr) return;
  engine_.transcript->sent_head(engine_.loop.now(), options_->method + ' ' + target_.path);
  engine_.transcript->sent_bytes(engine_.loop.now(), request.size());
}

void FastcgiProbe::on_sent() { sent_ = engine_.loop.now(); }

void FastcgiProbe::on_received(std::string_view bytes) {
  if (engine_.transcript != nullptr) {
    engine_.transcript->received_bytes(engine_.loop.now(), bytes);
  }
  if (!answer_.take(bytes, engine_.loop.now())) judge();
}

void FastcgiProbe::on_ended(Stream::End end) {
  close();
  ProbeResult result = result_so_far();
  judge_fastcgi_end(answer_, end, result.outcome);
  finish(std::move(result));
}

/// As much of the answer is there as is wanted.
void FastcgiProbe::judge() {
  if (engine_.connect_rate.busy(peer_)) close_by_reset(stream_->fd());
  close();
  ProbeResult result = result_so_far();
  judge_fastcgi(*options_, answer_, result.outcome);
  const bool accepted = result.outcome.error == ErrorClass::none;
  if (accepted && options_->patterns.any()) return match(std::move(result));
  finish(std::move(result));
}

void FastcgiProbe::match(ProbeResult result) {
  result.judged_at = engine_.loop.now();
  matching_ = std::move(result);
  const bool begun =
      match_.start(engine_, options_->patterns, answer_.http().headers(), answer_.http().body(),
                   [this](const std::optional<Mismatch>& mismatch) {
                     apply_mismatch(mismatch, matching_->outcome);
                     finish(*std::exchange(matching_, std::nullopt));
                   });
  if (!begun) finish(out_of_time_matching(*std::exchange(matching_, std::nullopt)));
}

void FastcgiProbe::finish(ProbeResult result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

void FastcgiProbe::close() { stream_->close(); }

ProbeResult FastcgiProbe::result_so_far() const {
  ProbeResult result;
  Outcome& outcome = result.outcome;
  const Time now = engine_.loop.now();
  if (sent_) outcome.times.set(TimedPhase::request, *sent_ - started_);
  if (!answer_.header_complete()) return result;
  // A server that does not read all before it answers.
  const Time asked = sent_ ? std::min(*sent_, answer_.http().headers_at()) : started_;
  outcome.times.set(TimedPhase::response_headers, answer_.http().headers_at() - asked);
  if (answer_.ended() || answer_.http().body_capped()) {
    outcome.times.set(TimedPhase::response_body, now - answer_.http().headers_at());
  }
  outcome.http = HttpFacts{.status_code = answer_.status(),
                           .version = 0,
                           .body_bytes = answer_.http().body_bytes(),
                           .redirects = 0};
  return result;
}

ProbeResult FastcgiProbe::cancel() {
  if (matching_) return out_of_time_matching(*std::exchange(matching_, std::nullopt));
  ProbeResult result = result_so_far();
  Outcome& outcome = result.outcome;
  if (answer_.header_complete()) {
    outcome.error = ErrorClass::body_timeout;
  } else if (!target_.is_unix() && read_tcp_evidence(stream_->fd()).blackholed()) {
    outcome.error = ErrorClass::request_unacked;
    outcome.detail = "unacked";
  } else {
    outcome.error = ErrorClass::response_timeout;
    if (!answer_.empty()) outcome.detail = "partial_answer";
  }
  return result;
}

}  // namespace

std::string fastcgi_probe_request(const FastcgiOptions& options, const Target& target) {
  const std::size_t mark = target.path.find('?');
  const std::string path = target.path.substr(0, mark);
  const std::string query = mark == std::string::npos ? "" : target.path.substr(mark + 1);
  const bool network = !target.is_unix();
  std::vector<std::pair<std::string, std::string>> params{
      {"GATEWAY_INTERFACE", "CGI/1.1"},
      {"SERVER_SOFTWARE", "upstream-agent"},
      {"SERVER_PROTOCOL", "HTTP/1.1"},
      {"SERVER_NAME", network ? target.host : "localhost"},
      {"SERVER_PORT", network ? std::to_string(target.port) : "80"},
      {"REMOTE_ADDR", "127.0.0.1"},
      {"REQUEST_METHOD", options.method},
      {"REQUEST_URI", target.path},
      {"DOCUMENT_URI", path},
      {"SCRIPT_NAME", path},
      {"SCRIPT_FILENAME", options.script_filename.empty() ? path : options.script_filename},
      {"QUERY_STRING", query},
      {"CONTENT_LENGTH", "0"},
      {"HTTP_USER_AGENT", "upstream-agent"},
  };
  for (const auto& param : options.params) {
    const auto same = std::find_if(params.begin(), params.end(),
                                   [&](const auto& pair) { return pair.first == param.first; });
    if (same == params.end()) {
      params.push_back(param);
    } else {
      same->second = param.second;
    }
  }
  return fastcgi_request(params);
}

ProbeMaker make_fastcgi_maker(FastcgiOptions options) {
  auto shared = std::make_shared<const FastcgiOptions>(std::move(options));
  return [shared](ProbeEngine& engine, const Target& target) -> std::unique_ptr<Probe> {
    return std::make_unique<FastcgiProbe>(engine, target, shared);
  };
}

}  // namespace ua
