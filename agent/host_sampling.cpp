// SPDX-License-Identifier: Apache-2.0
#include "agent/host_sampling.h"

#include <set>
#include <string>
#include <utility>

namespace ua {

/// Outlives the owner where a sample hangs.
struct HostSampling::Shared {
  std::vector<std::unique_ptr<HostSampler>> samplers;
  Callbacks callbacks;

  mutable std::mutex mutex;  // guards all below
  std::condition_variable changed;
  Loop* loop = nullptr;  // null once the owner is gone
  bool wanted = false;
  bool stop = false;
  bool ended = false;
  std::size_t sampling = 0;       // index of the sampler at work
  bool busy = false;              // between taking a request and its snapshot
  std::set<std::string> failing;  // said once until they succeed
  std::shared_ptr<const HostSnapshot> latest;

  Time now() const;
  SamplerRun run(std::size_t index, HostSnapshot& into);
  void publish(std::shared_ptr<const HostSnapshot> snapshot);
};

/// The loop's clock, as long as there is a loop.
Time HostSampling::Shared::now() const {
  const std::lock_guard lock(mutex);
  return loop != nullptr ? loop->now() : Time{};
}

SamplerRun HostSampling::Shared::run(std::size_t index, HostSnapshot& into) {
  {
    const std::lock_guard lock(mutex);
    sampling = index;
  }
  SamplerRun result;
  result.name = samplers[index]->name();
  const Time begin = now();
  const Result<void> sampled = samplers[index]->sample(into);
  result.took = now() - begin;
  result.success = sampled.has_value();
  if (!sampled) result.error = sampled.error().message;
  return result;
}

/// With the mutex held.
void HostSampling::Shared::publish(std::shared_ptr<const HostSnapshot> snapshot) {
  const bool first = latest == nullptr;
  latest = std::move(snapshot);
  if (first && loop != nullptr) loop->post(callbacks.on_first);
  for (const SamplerRun& run : latest->runs) {
    const bool news = run.success ? failing.erase(run.name) != 0 : failing.insert(run.name).second;
    if (news && loop != nullptr) {
      loop->post([callback = callbacks.on_change, run] { callback(run); });
    }
  }
}

HostSampling::HostSampling(Loop& loop, Duration interval,
                           std::vector<std::unique_ptr<HostSampler>> samplers, Callbacks callbacks)
    : loop_(loop), interval_(interval), shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  shared_->samplers = std::move(samplers);
  shared_->callbacks = std::move(callbacks);
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
    if (shared_->busy) {
      give_up_on_sample();
    } else {
      shared_->wanted = true;
    }
  }
  shared_->changed.notify_all();
  timer_ = loop_.after(interval_, [this] { tick(); });
}

/// With the mutex held. A sampler that waits for ever must not look like one that works; those
/// behind it in the list do not get their turn either.
void HostSampling::give_up_on_sample() {
  auto snapshot = std::make_shared<HostSnapshot>();
  for (std::size_t i = 0; i < shared_->samplers.size(); ++i) {
    SamplerRun run;
    run.name = shared_->samplers[i]->name();
    run.error = "no answer within the interval";
    if (i != shared_->sampling) {
      run.error = "held up by " + std::string(shared_->samplers[shared_->sampling]->name());
    }
    snapshot->runs.push_back(std::move(run));
  }
  shared_->publish(std::move(snapshot));
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
    shared->busy = true;
    lock.unlock();
    auto snapshot = std::make_shared<HostSnapshot>();
    for (std::size_t i = 0; i < shared->samplers.size(); ++i) {
      snapshot->runs.push_back(shared->run(i, *snapshot));
    }
    lock.lock();
    shared->busy = false;
    shared->publish(std::move(snapshot));
  }
  shared->ended = true;
  shared->changed.notify_all();
}

}  // namespace ua
