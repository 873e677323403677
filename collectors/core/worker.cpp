// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/worker.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace ua {

/// Outlives the owner where a job hangs.
struct Worker::Shared {
  std::size_t max_waiting = 0;
  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  Loop* loop = nullptr;  // null once the owner is gone
  std::deque<Job> jobs;
  bool stop = false;
  bool ended = false;
};

Worker::Worker(Loop& loop, std::size_t max_waiting) : shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  shared_->max_waiting = max_waiting;
}

Worker::~Worker() {
  std::unique_lock lock(shared_->mutex);
  shared_->stop = true;
  shared_->loop = nullptr;
  shared_->jobs.clear();
  shared_->changed.notify_all();
  if (!thread_.joinable()) return;
  const bool ended = shared_->changed.wait_for(lock, kPatience, [this] { return shared_->ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool Worker::run(Job job) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->jobs.size() > shared_->max_waiting) return false;
    shared_->jobs.push_back(std::move(job));
  }
  shared_->changed.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([shared = shared_] { work(shared); });
  return true;
}

void Worker::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->stop || !shared->jobs.empty(); });
    if (shared->stop) break;
    const Job job = std::move(shared->jobs.front());
    lock.unlock();
    Then then = job();
    lock.lock();
    if (shared->stop) break;
    shared->jobs.pop_front();  // only now: the one at work counts as one of those there
    shared->loop->post([shared, then = std::move(then)] {
      // The owner may have gone while this waited; it goes on this same thread.
      if (shared->loop != nullptr && then) then();
    });
  }
  shared->ended = true;
  shared->changed.notify_all();
}

}  // namespace ua
