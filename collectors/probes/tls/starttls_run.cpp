// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/starttls_run.h"

#include <utility>

#include "collectors/probes/net/socket_evidence.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/transcript.h"

namespace ua {

StarttlsRun::StarttlsRun(ProbeEngine& engine, UniqueFd fd, Starttls protocol, Done done)
    : engine_(engine),
      done_(std::move(done)),
      dialogue_(protocol),
      stream_(engine.loop, std::move(fd),
              {[this] { on_sent(); }, [this](std::string_view bytes) { on_received(bytes); },
               [this](Stream::End how) { end(dialogue_.ended(how)); }}) {
  send();
}

void StarttlsRun::send() {
  const std::string bytes = dialogue_.take_outgoing();
  if (engine_.transcript != nullptr && !bytes.empty()) {
    if (bytes.ends_with("\r\n")) engine_.transcript->sent_head(engine_.loop.now(), bytes);
    engine_.transcript->sent_bytes(engine_.loop.now(), bytes.size());
  }
  stream_.send(bytes);
}

void StarttlsRun::on_sent() {
  if (dialogue_.state() == StarttlsDialogue::State::ready) end(std::nullopt);
}

void StarttlsRun::on_received(std::string_view bytes) {
  if (engine_.transcript != nullptr) {
    engine_.transcript->received_bytes(engine_.loop.now(), bytes);
  }
  if (dialogue_.take(bytes) == StarttlsDialogue::State::failed) return end(dialogue_.failure());
  send();
  if (stream_.is_sent()) on_sent();
}

void StarttlsRun::end(std::optional<Failure> failure) {
  UniqueFd fd = stream_.release();
  if (failure) fd.reset();
  const Done done = std::move(done_);
  done(std::move(fd), std::move(failure));
}

StarttlsRun::Failure StarttlsRun::give_up() {
  Failure failure = dialogue_.timed_out();
  if (read_tcp_evidence(stream_.fd()).blackholed()) {
    failure = {ErrorClass::request_unacked, failure.detail + ",unacked", ""};
  }
  stream_.close();
  return failure;
}

}  // namespace ua
