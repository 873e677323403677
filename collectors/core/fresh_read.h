// SPDX-License-Identifier: Apache-2.0
// What stands in files that may lie where reading hangs: read on a worker, again once a second when
// it is asked for, and what was read before while that takes longer. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "collectors/core/time.h"
#include "collectors/core/worker.h"

namespace ua {

template <typename T>
class FreshRead {
 public:
  /// On the worker, perhaps after the FreshRead is gone: refers to nothing of its owner's.
  using Read = std::function<T()>;
  using Then = std::function<void(const T&)>;

  static constexpr Duration kTrusted = 1s;  ///< what was read

  explicit FreshRead(T first) : state_(std::make_shared<State>(std::move(first))) {}

  /// Calls `then` once, perhaps from inside; never where the FreshRead or the worker goes before.
  void get(Worker& worker, Time now, Read read, Then then) {
    State& state = *state_;
    if (state.read_at && now - *state.read_at < kTrusted) return then(state.value);
    if (state.reading_since) {
      if (now - *state.reading_since >= kTrusted) return then(state.value);
      state.waiting.push_back(std::move(then));
      return;
    }
    if (!worker.run(job(std::move(read), now))) return then(state.value);
    state.reading_since = now;
    state.waiting.push_back(std::move(then));
  }

  const T& last() const { return state_->value; }

 private:
  struct State {
    explicit State(T first) : value(std::move(first)) {}
    T value;
    std::optional<Time> read_at;
    std::optional<Time> reading_since;
    std::vector<Then> waiting;
  };

  Worker::Job job(Read read, Time asked) const {
    return [weak = std::weak_ptr<State>(state_), read = std::move(read), asked]() -> Worker::Then {
      return [weak, asked, value = read()]() mutable {
        const auto state = weak.lock();
        if (state == nullptr) return;
        state->value = std::move(value);
        state->read_at = asked;
        state->reading_since.reset();
        for (const Then& then : std::exchange(state->waiting, {})) then(state->value);
      };
    };
  }

  std::shared_ptr<State> state_;
};

}  // namespace ua
