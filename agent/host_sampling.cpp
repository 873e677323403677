// SPDX-License-Identifier: Apache-2.0
#include "agent/host_sampling.h"

#include <set>

namespace ua {

/// Outlives the owner where a sample hangs.
struct HostSampling::Shared {
  Loop* loop = nullptr;  // null once the owner is gone
  std::vector<std::unique_ptr<HostSampler>> samplers;
  std::function<void(const SamplerRun&)> on_trouble;
  std::set<std::string> failing;  // worker only

  mutable std::mutex mutex;
  std::condition_variable changed;
  bool wanted = false;
  bool stop = false;
  bool ended = false;
  std::shared_ptr<const HostSnapshot> latest;
};

HostSampling::HostSampling(Loop& loop, const HostConfig& config,
                           std::function<void(const SamplerRun&)> on_trouble)
    : loop_(loop), interval_(config.interval), shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  shared_->samplers = make_host_samplers(config.samplers);
  shared_->on_trouble = std::move(on_trouble);
  thread_ = std::thread([shared = shared_] { work(shared); });
  tick();
}

HostSampling::~HostSampling() {
  std::unique_lock lock(shared_->mutex);
  shared_->stop = true;
  shared_->loop = nullptr;
  shared_->changed.notify_all();
  const bool ended =
      shared_->changed.wait_for(lock, std::chrono::seconds(1), [this] { return shared_->ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void HostSampling::tick() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->wanted = true;  // one that still runs is not asked twice
  }
  shared_->changed.notify_all();
  timer_ = loop_.after(interval_, [this] { tick(); });
}

std::shared_ptr<const HostSnapshot> HostSampling::latest() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->latest;
}

void HostSampling::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->wanted || shared->stop; });
    if (shared->stop) break;
    shared->wanted = false;
    Loop* loop = shared->loop;
    lock.unlock();
    auto snapshot = std::make_shared<HostSnapshot>();
    std::vector<SamplerRun> begins_to_fail;
    for (const auto& sampler : shared->samplers) {
      SamplerRun run;
      run.name = sampler->name();
      const Time begin = loop->now();
      const Result<void> sampled = sampler->sample(*snapshot);
      run.took = loop->now() - begin;
      run.success = sampled.has_value();
      if (!sampled) run.error = sampled.error().message;
      if (run.success) {
        shared->failing.erase(run.name);
      } else if (shared->failing.insert(run.name).second) {
        begins_to_fail.push_back(run);
      }
      snapshot->runs.push_back(std::move(run));
    }
    lock.lock();
    shared->latest = std::move(snapshot);
    if (shared->loop == nullptr) continue;
    for (SamplerRun& run : begins_to_fail) {
      shared->loop->post([shared, run = std::move(run)] { shared->on_trouble(run); });
    }
  }
  shared->ended = true;
  shared->changed.notify_all();
}

}  // namespace ua
