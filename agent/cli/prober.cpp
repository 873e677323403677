// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/prober.h"

#include <sys/epoll.h>

#include <algorithm>
#include <csignal>

#include "collectors/probes/follow_up.h"

namespace ua {
namespace {

constexpr std::size_t kMostAtOnce = 64;

}  // namespace

Prober::Prober(const std::vector<ProbeJob>& jobs, Options options)
    : jobs_(jobs), options_(options), engine_(loop_) {
  if (options_.signals < 0) return;
  signal_watch_ = loop_.watch(options_.signals, EPOLLIN, [this](std::uint32_t) {
    interrupted_ = true;
    loop_.stop();
    signal_watch_ = {};  // it stays readable
  });
}

std::vector<ProbeFinding> Prober::run() {
  // A peer that resets while OpenSSL writes would end the process.
  std::signal(SIGPIPE, SIG_IGN);
  runs_.clear();
  runs_.resize(jobs_.size());
  findings_.assign(jobs_.size(), {});
  next_ = finished_ = 0;
  const std::size_t at_once = options_.transcripts ? 1 : kMostAtOnce;
  while (next_ < jobs_.size() && next_ < at_once) start_next();
  if (!jobs_.empty() && !interrupted_) loop_.run();
  std::signal(SIGPIPE, SIG_DFL);
  return std::move(findings_);
}

void Prober::start_next() {
  const std::size_t index = next_++;
  const ProbeJob& job = jobs_[index];
  if (options_.transcripts) engine_.transcript = &transcript_.emplace(loop_.now());
  runs_[index] = std::make_unique<ProbeRun>(engine_, job.target.target, job.target.make, job.run);
  runs_[index]->start(
      [this, index](std::vector<Outcome> outcomes) { finished(index, std::move(outcomes)); });
}

void Prober::finished(std::size_t index, std::vector<Outcome> outcomes) {
  findings_[index].outcomes = std::move(outcomes);
  if (transcript_) findings_[index].transcript = transcript_->text();
  if (next_ < jobs_.size()) start_next();
  if (++finished_ == jobs_.size()) loop_.stop();
}

std::string_view Prober::look_again(const ProbeJob& job, const Outcome& outcome) {
  if (outcome.success() || !calls_for_follow_up(job.target.target, outcome)) return "";
  Finding found = Finding::nothing;
  const auto done = [&](Finding finding) {
    found = finding;
    loop_.stop();
  };
  // Together not longer than the probe itself might have taken.
  const Duration patience = std::min<Duration>(FollowUp::kPatience, job.run.timeout / 3);
  const FollowUp follow_up(loop_, job.target.target, outcome, job.run.socket, done, patience);
  if (!interrupted_) loop_.run();
  return sentence(found);
}

bool Prober::wait(Duration time) {
  if (interrupted_) return false;
  const Timer timer = loop_.after(time, [this] { loop_.stop(); });
  loop_.run();
  return !interrupted_;
}

}  // namespace ua
