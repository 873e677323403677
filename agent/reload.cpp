// SPDX-License-Identifier: Apache-2.0
#include "agent/reload.h"

#include <sys/epoll.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "agent/signals.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

/// Nothing may leave a worker's job but its result.
LoadResult load_or_mistake(const Reloader::Load& load) {
  try {
    return load();
  } catch (const std::exception& error) {
    return tl::unexpected(Diagnostics{{"configuration", 0, 0, escape_line(error.what())}});
  }
}

}  // namespace

Reloader::Reloader(Loop& loop, Surroundings surroundings)
    : loop_(loop), around_(std::move(surroundings)), worker_(loop, 1) {}

void Reloader::request(Done done) {
  answered_by_next_.push_back(std::move(done));
  if (!loading_) begin();
}

void Reloader::begin() {
  loading_ = true;
  answered_by_this_ = std::exchange(answered_by_next_, {});
  patience_ = loop_.after(kPatience, [this] { around_.slow(); });
  const bool begun = worker_.run([this, load = around_.begin()]() -> Worker::Then {
    auto loaded = std::make_shared<LoadResult>(load_or_mistake(load));
    return [this, loaded] { finish(std::move(*loaded)); };
  });
  if (!begun) finish(tl::unexpected(Diagnostics{{"configuration", 0, 0, "no worker is free"}}));
}

void Reloader::finish(LoadResult loaded) {
  patience_.cancel();
  const std::vector<Done> waiting = std::exchange(answered_by_this_, {});
  const Result<std::string> answer = around_.finish(std::move(loaded));
  loading_ = false;
  for (const Done& done : waiting) {
    if (done) done(answer);
  }
  if (!loading_ && !answered_by_next_.empty()) begin();
}

std::optional<LoadResult> first_load(const Reloader::Load& load, int signals) {
  EpollLoop loop;
  std::optional<LoadResult> result;
  bool again = true;
  bool stopped = false;
  Reloader::Surroundings around;
  around.begin = [&] { return load; };
  around.slow = [] {
    std::fputs("upstream-agent: the configuration is still being read\n", stderr);
  };
  around.finish = [&](LoadResult loaded) -> Result<std::string> {
    result = std::move(loaded);
    return {};
  };
  Reloader reloader(loop, std::move(around));
  const Watch watch = loop.watch(signals, EPOLLIN, [&](std::uint32_t) {
    while (const auto signal = next_signal(signals)) {
      if (*signal == SIGHUP) {
        again = true;
      } else {
        stopped = true;
        loop.stop();
      }
    }
  });
  while (again && !stopped) {
    again = false;
    reloader.request([&](const Result<std::string>&) { loop.stop(); });
    loop.run();
  }
  if (stopped) return std::nullopt;
  return result;
}

}  // namespace ua
