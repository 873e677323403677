// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_probe.h"

#include <sys/random.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/answer/pattern_match.h"
#include "collectors/probes/dns/dns_judge.h"
#include "collectors/probes/http/http_trouble.h"
#include "collectors/probes/net/datagram.h"
#include "collectors/probes/net/stream.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/transcript.h"

namespace ua {
namespace {

constexpr std::size_t kLength = 2;     // before each message over TCP
constexpr std::size_t kIdAndFlag = 3;  // what tells a reply to the question
constexpr std::size_t kShownRecords = 50;

class DnsProbe final : public Probe {
 public:
  DnsProbe(ProbeEngine& engine, const Target& target, std::shared_ptr<const DnsOptions> options)
      : engine_(engine), task_(dns_task(target, *options)), options_(std::move(options)) {}

  void start(Connection connection, Done done) override;
  ProbeResult cancel() override;

 private:
  void ask_datagram(Connection connection);
  void on_datagram(std::string_view bytes);
  void dial();
  void on_connected(Connection connection);
  void ask_stream(UniqueFd fd, Time since);
  void on_sent();
  void on_received(std::string_view bytes);
  void on_ended(Stream::End end);
  bool is_whole() const;
  void take_whole();
  void judge(const DnsAnswer& answer);
  void match(const DnsAnswer& answer);
  ProbeResult no_connection(const Classified& found, const DialFailure& failure) const;
  void finish_later(ProbeResult result);
  void finish(ProbeResult result);
  void note(const DnsAnswer& answer) const;

  ProbeEngine& engine_;
  Result<DnsTask> task_;
  std::shared_ptr<const DnsOptions> options_;
  Done done_;
  std::uint16_t id_ = 0;
  std::string query_;
  Endpoint peer_;
  std::shared_ptr<const SocketOptions> socket_options_;
  std::unique_ptr<Datagram> datagram_;
  bool truncated_ = false;
  std::unique_ptr<Dial> dial_;
  std::optional<Stream> stream_;
  std::string received_;
  DnsStrays strays_;
  Time asked_;
  std::optional<Time> sent_;
  ProbeResult result_;  // the times so far
  std::unique_ptr<PatternMatch> match_;
  std::optional<ProbeResult> matching_;  // the verdict that stands where the patterns are met
  std::optional<ProbeResult> verdict_;   // on its way
  Timer later_;
};

void DnsProbe::start(Connection connection, Done done) {
  done_ = std::move(done);
  peer_ = connection.peer;
  socket_options_ = connection.options;
  if (!task_) {
    ProbeResult result;
    result.outcome.error = ErrorClass::config_invalid;
    result.outcome.detail = "target";
    result.outcome.message = task_.error().message;
    return finish_later(std::move(result));
  }
  if (::getrandom(&id_, sizeof id_, 0) != sizeof id_) {
    return finish_later(own_trouble("no_random", "the kernel gave no random bytes"));
  }
  query_ = dns_query(task_->question, id_);
  if (connection.fd) return ask_stream(std::move(connection.fd), connection.connected_at);
  ask_datagram(std::move(connection));
}

void DnsProbe::ask_datagram(Connection connection) {
  asked_ = engine_.loop.now();
  datagram_ = std::make_unique<Datagram>(
      engine_.loop, connection.peer,
      Datagram::Events{[this](std::string_view bytes) { on_datagram(bytes); },
                       [this](const DialFailure& failure) {
                         finish(no_connection(classify_datagram(failure), failure));
                       }},
      connection.options);
  datagram_->send(query_);
  sent_ = engine_.loop.now();
  result_.outcome.times.set(TimedPhase::request, *sent_ - asked_);
  if (engine_.transcript != nullptr) engine_.transcript->sent_bytes(*sent_, query_.size());
}

void DnsProbe::on_datagram(std::string_view bytes) {
  if (engine_.transcript != nullptr) {
    engine_.transcript->received_bytes(engine_.loop.now(), bytes);
  }
  const DnsAnswer answer = read_dns_answer(bytes, task_->question, id_);
  strays_.count(answer.kind);
  if (answer.kind < DnsAnswer::Kind::malformed) return;  // perhaps forged
  result_.outcome.times.add(TimedPhase::response_headers, engine_.loop.now() - *sent_);
  datagram_->close();
  if (answer.kind != DnsAnswer::Kind::truncated) return judge(answer);
  truncated_ = true;
  sent_.reset();
  dial();
}

/// The rest is had over TCP (RFC 7766 section 5).
void DnsProbe::dial() {
  if (engine_.transcript != nullptr) {
    engine_.transcript->note(engine_.loop.now(), "truncated: asking again over TCP");
  }
  asked_ = engine_.loop.now();
  dial_ = std::make_unique<Dial>(
      engine_.loop, peer_, [this](Connection connection) { on_connected(std::move(connection)); },
      [this](const DialFailure& failure) {
        finish(no_connection(classify_dial(failure), failure));
      },
      socket_options_);
}

void DnsProbe::on_connected(Connection connection) {
  result_.outcome.times.add(TimedPhase::connect, connection.connected_at - asked_);
  engine_.connect_rate.count(connection.peer, connection.connected_at);
  ask_stream(std::move(connection.fd), connection.connected_at);
}

void DnsProbe::ask_stream(UniqueFd fd, Time since) {
  asked_ = since;
  stream_.emplace(
      engine_.loop, std::move(fd),
      Stream::Events{[this] { on_sent(); }, [this](std::string_view bytes) { on_received(bytes); },
                     [this](Stream::End end) { on_ended(end); }});
  const std::string length{static_cast<char>(query_.size() >> 8U),
                           static_cast<char>(query_.size() & 0xffU)};
  stream_->send(length + query_);
  if (engine_.transcript != nullptr) {
    engine_.transcript->sent_bytes(engine_.loop.now(), kLength + query_.size());
  }
}

void DnsProbe::on_sent() {
  sent_ = engine_.loop.now();
  result_.outcome.times.add(TimedPhase::request, *sent_ - asked_);
}

/// What cannot become an answer any more is whole already.
bool DnsProbe::is_whole() const {
  if (received_.size() < kLength + kIdAndFlag) return false;
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(received_[at]); };
  const std::size_t size = byte(0) * 256UL + byte(1);
  const bool ours = byte(2) * 256U + byte(3) == id_ && (byte(4) & 0x80U) != 0;
  return !ours || received_.size() >= kLength + size;
}

void DnsProbe::on_received(std::string_view bytes) {
  if (engine_.transcript != nullptr) {
    engine_.transcript->received_bytes(engine_.loop.now(), bytes);
  }
  received_ += bytes;
  if (is_whole()) take_whole();
}

void DnsProbe::take_whole() {
  const Time now = engine_.loop.now();
  if (!sent_) on_sent();  // a server that does not read all before it answers
  result_.outcome.times.add(TimedPhase::response_headers, now - *sent_);
  const std::size_t size =
      static_cast<unsigned char>(received_[0]) * 256UL + static_cast<unsigned char>(received_[1]);
  const std::string_view message = std::string_view(received_).substr(kLength, size);
  const DnsAnswer answer = read_dns_answer(message, task_->question, id_);
  if (engine_.connect_rate.busy(peer_)) close_by_reset(stream_->fd());
  stream_->close();
  const bool taken =
      answer.kind == DnsAnswer::Kind::reply || answer.kind == DnsAnswer::Kind::malformed;
  if (taken) return judge(answer);
  ProbeResult result = result_;
  judge_dns_stream(received_, answer, result.outcome);
  finish(std::move(result));
}

void DnsProbe::on_ended(Stream::End end) {
  stream_->close();
  ProbeResult result = result_;
  judge_dns_end(end, !received_.empty(), result.outcome);
  finish(std::move(result));
}

void DnsProbe::note(const DnsAnswer& answer) const {
  if (engine_.transcript == nullptr) return;
  const Time now = engine_.loop.now();
  engine_.transcript->note(now, dns_rcode_name(answer.rcode) + ", " +
                                    std::to_string(answer.records.size()) + " answer records");
  for (std::size_t i = 0; i < std::min(answer.records.size(), kShownRecords); ++i) {
    std::string shown = answer.records[i];
    std::replace(shown.begin(), shown.end(), '\t', ' ');
    engine_.transcript->note(now, shown);
  }
}

void DnsProbe::judge(const DnsAnswer& answer) {
  note(answer);
  ProbeResult result = result_;
  judge_dns(*options_, answer, result.outcome);
  result_ = result;
  const bool accepted = result.outcome.error == ErrorClass::none;
  if (accepted && options_->patterns.any()) return match(answer);
  finish(std::move(result));
}

void DnsProbe::match(const DnsAnswer& answer) {
  matching_ = result_;
  matching_->judged_at = engine_.loop.now();
  match_ = std::make_unique<PatternMatch>();
  const bool begun =
      match_->start(engine_, options_->patterns, dns_fields(answer), dns_lines(answer),
                    [this, records = answer.records.size()](const auto& mismatch) {
                      apply_dns_mismatch(mismatch, records, matching_->outcome);
                      finish(*std::exchange(matching_, std::nullopt));
                    });
  if (!begun) finish(out_of_time_matching(*std::exchange(matching_, std::nullopt)));
}

ProbeResult DnsProbe::no_connection(const Classified& found, const DialFailure& failure) const {
  ProbeResult result;
  if (truncated_) result = result_;
  result.outcome.error = found.error;
  result.outcome.detail = found.detail;
  if (truncated_) add_detail(result.outcome, "truncated");
  if (failure.error != 0) result.outcome.message = errno_text(failure.error);
  if (failure.option) result.outcome.message = failure.option->text();
  return result;
}

/// Not from inside start().
void DnsProbe::finish_later(ProbeResult result) {
  verdict_ = std::move(result);
  later_ = engine_.loop.after(Duration::zero(), [this] { finish(std::move(*verdict_)); });
}

void DnsProbe::finish(ProbeResult result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

ProbeResult DnsProbe::cancel() {
  if (verdict_) return std::move(*verdict_);
  if (matching_) return out_of_time_matching(*std::exchange(matching_, std::nullopt));
  if (dial_ && !stream_) {
    const DialFailure failure = dial_->give_up();
    return no_connection(classify_dial(failure), failure);
  }
  ProbeResult result = result_;
  Outcome& outcome = result.outcome;
  if (!stream_) {
    judge_dns_silence(strays_, outcome);
  } else if (read_tcp_evidence(stream_->fd()).blackholed()) {
    outcome.error = ErrorClass::request_unacked;
    outcome.detail = "unacked";
  } else {
    outcome.error = ErrorClass::response_timeout;
    if (!received_.empty()) outcome.detail = "partial_answer";
  }
  return result;
}

}  // namespace

ProbeMaker make_dns_maker(DnsOptions options) {
  auto shared = std::make_shared<const DnsOptions>(std::move(options));
  return [shared](ProbeEngine& engine, const Target& target) -> std::unique_ptr<Probe> {
    return std::make_unique<DnsProbe>(engine, target, shared);
  };
}

}  // namespace ua
