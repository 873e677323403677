// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tcp/exchange_probe.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "collectors/core/text.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/transcript.h"

namespace ua {
namespace {

/// Where the first match ends.
std::optional<std::size_t> match_end(const re2::RE2& pattern, std::string_view text) {
  const re2::StringPiece input(text.data(), text.size());
  re2::StringPiece found;
  if (!pattern.Match(input, 0, input.size(), re2::RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return static_cast<std::size_t>(found.data() - input.data()) + found.size();
}

/// A server that speaks TLS says so when it is spoken to in plain.
bool is_tls_alert(std::string_view bytes) { return bytes.starts_with("\x15\x03"); }

class ExchangeProbe final : public Probe {
 public:
  ExchangeProbe(ProbeEngine& engine, std::shared_ptr<const TcpOptions> options)
      : engine_(engine), options_(std::move(options)) {}

  void start(Connection connection, Done done) override;
  ProbeResult cancel() override;

 private:
  enum class End : std::uint8_t { open, fin, reset };

  const std::vector<ExchangeStep>& steps() const { return options_->exchange; }
  void advance();
  void wait();
  bool send_rest();
  void on_ready(std::uint32_t events);
  void receive();
  void take_last_words();
  void take(std::string_view bytes);
  void on_end(End end);

  bool try_match();
  void match_on_worker();
  void on_matched(std::optional<std::size_t> end);
  void next_step(std::size_t answered);

  void watch(std::uint32_t events);
  void finish_later(ErrorClass error, std::string detail, std::string message);
  ProbeResult result(ErrorClass error, std::string detail, std::string message);
  std::string step_token() const { return "exchange_" + std::to_string(step_ + 1); }
  std::string mismatch() const;

  ProbeEngine& engine_;
  std::shared_ptr<const TcpOptions> options_;
  Done done_;
  Endpoint peer_;
  UniqueFd fd_;
  Watch watch_;
  Timer later_;
  std::optional<ProbeResult> verdict_;  // on its way
  Time started_;
  std::optional<Time> first_sent_;
  std::optional<Time> first_answer_;

  std::size_t step_ = 0;
  std::size_t sent_ = 0;  // of this step's text
  std::string answer_;    // what no step has taken yet
  End end_ = End::open;
  std::uint64_t spent_ =
      0;                    // steps of matching, of all answers: one that drips in is matched often
  bool matching_ = false;   // on the worker
  bool more_came_ = false;  // since it began
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what the worker hands back
};

void ExchangeProbe::start(Connection connection, Done done) {
  done_ = std::move(done);
  peer_ = connection.peer;
  started_ = connection.connected_at;
  fd_ = std::move(connection.fd);
  later_ = engine_.loop.after(Duration::zero(), [this] { advance(); });
}

/// Goes on until something has to be waited for.
void ExchangeProbe::advance() {
  while (step_ < steps().size()) {
    if (!send_rest()) return;
    if (!steps()[step_].expect) {
      next_step(0);
    } else if (!try_match()) {
      return wait();
    }
  }
  finish_later(ErrorClass::none, "", "");
}

void ExchangeProbe::wait() {
  if (verdict_) return;
  if (matching_ && answer_.size() > kMaxExchangeAnswer) return;  // the match has the word
  if (end_ == End::open) return watch(EPOLLIN);
  if (!matching_) on_end(end_);
}

/// @return whether all of this step's text is sent
bool ExchangeProbe::send_rest() {
  const std::string& text = steps()[step_].send;
  while (sent_ < text.size()) {
    const ssize_t size =
        ::send(fd_.get(), text.data() + sent_, text.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch(EPOLLIN | EPOLLOUT);  // who waits for us to read would never read
    } else {
      end_ = errno == ECONNRESET ? End::reset : End::fin;
      take_last_words();
      on_end(end_);
    }
    return false;
  }
  if (!text.empty() && !first_sent_) first_sent_ = engine_.loop.now();
  if (!text.empty() && engine_.transcript != nullptr) {
    engine_.transcript->sent_bytes(engine_.loop.now(), text.size());
  }
  return true;
}

/// What the peer said before it closed tells why.
void ExchangeProbe::take_last_words() {
  std::array<char, 16384> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) answer_.append(buffer.data(), static_cast<std::size_t>(size));
}

void ExchangeProbe::watch(std::uint32_t events) {
  if (watch_) return watch_.set(events);
  watch_ = engine_.loop.watch(fd_.get(), events, [this](std::uint32_t ready) { on_ready(ready); });
}

void ExchangeProbe::on_ready(std::uint32_t events) {
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) return receive();
  advance();
}

/// One piece at a time: the loop has others to serve.
void ExchangeProbe::receive() {
  std::array<char, 16384> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) return take({buffer.data(), static_cast<std::size_t>(size)});
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  watch_.cancel();
  end_ = size == 0 ? End::fin : End::reset;
  if (!matching_) on_end(end_);
}

void ExchangeProbe::take(std::string_view bytes) {
  if (!first_answer_) first_answer_ = engine_.loop.now();
  if (engine_.transcript != nullptr) {
    engine_.transcript->received_bytes(engine_.loop.now(), bytes);
  }
  answer_ += bytes;
  if (matching_) {
    more_came_ = true;
    if (answer_.size() > kMaxExchangeAnswer) watch_.cancel();  // the match has the word
    return;
  }
  advance();
  if (verdict_ || matching_ || answer_.size() <= kMaxExchangeAnswer) return;
  finish_later(ErrorClass::content_mismatch, step_token() + ",over_64KiB",
               "step " + std::to_string(step_ + 1) +
                   ": more than 64 KiB came before all of it could be sent");
}

bool ExchangeProbe::try_match() {
  if (matching_ || answer_.empty()) return false;
  const re2::RE2& pattern = *steps()[step_].expect;
  spent_ += match_steps(pattern, answer_);
  if (spent_ > kMaxStepsOnLoop) {
    match_on_worker();
    return false;
  }
  const auto end = match_end(pattern, answer_);
  if (end) {
    next_step(*end);
  } else if (answer_.size() > kMaxExchangeAnswer) {
    finish_later(ErrorClass::content_mismatch, step_token() + ",over_64KiB", mismatch());
  }
  return end.has_value();
}

void ExchangeProbe::next_step(std::size_t answered) {
  answer_.erase(0, answered);
  sent_ = 0;
  ++step_;
}

void ExchangeProbe::match_on_worker() {
  matching_ = true;
  more_came_ = false;
  const std::weak_ptr<bool> alive = alive_;
  const bool begun = engine_.matcher.run(
      [this, alive, pattern = steps()[step_].expect, text = answer_]() -> Worker::Then {
        const auto end = match_end(*pattern, text);
        return [this, alive, end] {
          if (!alive.expired() && matching_) on_matched(end);
        };
      });
  if (begun) return;
  matching_ = false;
  finish_later(ErrorClass::local_resources_exhausted, "expect",
               "too many patterns are being matched at once");
}

void ExchangeProbe::on_matched(std::optional<std::size_t> end) {
  matching_ = false;
  if (end) {
    next_step(*end);
    return advance();
  }
  if (more_came_) return advance();
  if (answer_.size() > kMaxExchangeAnswer) {
    return finish_later(ErrorClass::content_mismatch, step_token() + ",over_64KiB", mismatch());
  }
  if (end_ != End::open) on_end(end_);
}

/// The peer has ended the connection before the last step was done.
void ExchangeProbe::on_end(End end) {
  end_ = end;
  const bool reset = end == End::reset;
  const std::string detail = step_token() + (reset ? ",rst" : ",fin");
  if (is_tls_alert(answer_)) {
    return finish_later(ErrorClass::protocol_mismatch, "tls_alert", "the port speaks TLS");
  }
  if (!answer_.empty()) return finish_later(ErrorClass::content_mismatch, detail, mismatch());
  finish_later(reset ? ErrorClass::reset_before_headers : ErrorClass::closed_before_headers, detail,
               "step " + std::to_string(step_ + 1) + ": the connection was " +
                   (reset ? "reset" : "closed") + " before an answer");
}

/// Holds nothing of the answer, which may be confidential.
std::string ExchangeProbe::mismatch() const {
  return "step " + std::to_string(step_ + 1) + ": " + std::to_string(answer_.size()) +
         " bytes came, and expect matches nothing of them";
}

void ExchangeProbe::finish_later(ErrorClass error, std::string detail, std::string message) {
  watch_.cancel();
  verdict_ = result(error, std::move(detail), std::move(message));
  // A reset would drop what was sent last and not received yet.
  const bool answered = steps().back().expect != nullptr || error != ErrorClass::none;
  if (answered && engine_.connect_rate.busy(peer_)) close_by_reset(fd_.get());
  fd_.reset();
  later_ = engine_.loop.after(Duration::zero(), [this] {
    const Done done = std::move(done_);
    done(std::move(*verdict_));
  });
}

ProbeResult ExchangeProbe::result(ErrorClass error, std::string detail, std::string message) {
  ProbeResult made;
  Outcome& outcome = made.outcome;
  outcome.error = error;
  outcome.detail = std::move(detail);
  outcome.message = std::move(message);
  if (first_sent_) outcome.times.set(TimedPhase::request, *first_sent_ - started_);
  if (first_answer_) {
    const Time asked = first_sent_ && *first_sent_ < *first_answer_ ? *first_sent_ : started_;
    outcome.times.set(TimedPhase::response_headers, *first_answer_ - asked);
    outcome.times.set(TimedPhase::response_body, engine_.loop.now() - *first_answer_);
  }
  return made;
}

ProbeResult ExchangeProbe::cancel() {
  if (verdict_) return std::move(*verdict_);
  if (matching_) {
    matching_ = false;
    return result(ErrorClass::local_resources_exhausted, "expect",
                  "an answer came in time, but expect took too long on it: simplify the pattern");
  }
  if (is_tls_alert(answer_)) {
    return result(ErrorClass::protocol_mismatch, "tls_alert", "the port speaks TLS");
  }
  if (!answer_.empty()) {
    return result(ErrorClass::content_mismatch, step_token() + ",timeout", mismatch());
  }
  if (peer_.family() != AF_UNIX && read_tcp_evidence(fd_.get()).blackholed()) {
    return result(ErrorClass::request_unacked, "unacked", "");
  }
  return result(ErrorClass::response_timeout, step_token(),
                "step " + std::to_string(step_ + 1) + ": no answer");
}

}  // namespace

ProbeMaker make_exchange_maker(TcpOptions options) {
  auto shared = std::make_shared<const TcpOptions>(std::move(options));
  return [shared](ProbeEngine& engine, const Target&) -> std::unique_ptr<Probe> {
    return std::make_unique<ExchangeProbe>(engine, shared);
  };
}

}  // namespace ua
