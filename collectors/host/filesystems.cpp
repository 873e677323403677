// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/filesystems.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxStuck = 4;
constexpr std::size_t kMaxLabel = 256;

/// No figures to be had, for want of rights or because it was unmounted just now.
bool is_out_of_reach(const Error& error) {
  return error.code == EACCES || error.code == EPERM || error.code == ENOENT;
}

std::string listed(const std::set<std::string>& points) {
  std::string result;
  for (const std::string& point : points) {
    result += (result.empty() ? "" : ", ") + escape_line(point, kMaxLabel);
  }
  return result;
}

}  // namespace

/// Shared with the thread that asks, which may outlive the sampler.
struct FilesystemSampler::Round {
  std::vector<Mount> mounts;  // as they were at the beginning

  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  std::vector<Result<FilesystemUsage>> answers;  // of the first mounts

  /// With the mutex held.
  bool ended() const { return answers.size() == mounts.size(); }
};

Result<FilesystemUsage> ask_filesystem(const Mount& mount) {
  struct statvfs found {};
  if (statvfs(mount.point.c_str(), &found) != 0) {
    return fail("statvfs of " + escape_line(mount.point, kMaxLabel) + ": " + errno_text(errno),
                errno);
  }
  FilesystemUsage result;
  result.device = escape_line(mount.device, kMaxLabel);
  result.type = escape_line(mount.type, kMaxLabel);
  result.size = std::uint64_t{found.f_frsize} * found.f_blocks;
  result.available = std::uint64_t{found.f_frsize} * found.f_bavail;
  result.inodes = found.f_files;
  result.inodes_free = found.f_ffree;
  result.read_only = mount.read_only;
  return result;
}

/// The mount points whose threads still wait.
std::set<std::string> FilesystemSampler::stuck() {
  std::set<std::string> result;
  std::erase_if(stuck_, [&](const std::shared_ptr<Round>& round) {
    const std::lock_guard lock(round->mutex);
    if (!round->ended()) result.insert(round->mounts[round->answers.size()].point);
    return round->ended();
  });
  return result;
}

/// @return the round, ended or given up on
Result<std::shared_ptr<FilesystemSampler::Round>> FilesystemSampler::ask_all(
    std::vector<Mount> mounts) {
  auto round = std::make_shared<Round>();
  round->mounts = std::move(mounts);
  std::thread thread;
  try {
    thread = std::thread([round, ask = ask_] {
      for (const Mount& mount : round->mounts) {
        Result<FilesystemUsage> answer = ask(mount);
        const std::lock_guard lock(round->mutex);
        round->answers.push_back(std::move(answer));
        round->changed.notify_all();
      }
    });
  } catch (const std::system_error& error) {
    return fail(std::string("no thread to ask filesystems on: ") + error.what(),
                error.code().value());
  }
  std::unique_lock lock(round->mutex);
  const bool ended = round->changed.wait_for(lock, patience_, [&] { return round->ended(); });
  lock.unlock();
  if (ended) {
    thread.join();
  } else {
    thread.detach();
    stuck_.push_back(round);
  }
  return round;
}

/// @return the first failure
Result<void> FilesystemSampler::take(Round& round, Filesystems& into) {
  const std::lock_guard lock(round.mutex);
  Result<void> result;
  for (std::size_t i = 0; i < round.answers.size(); ++i) {
    const Result<FilesystemUsage>& answer = round.answers[i];
    if (answer) {
      into.mounts.emplace(escape_line(round.mounts[i].point, kMaxLabel), *answer);
    } else if (result && !is_out_of_reach(answer.error())) {
      result = tl::unexpected(answer.error());
    }
  }
  return result;
}

Result<void> FilesystemSampler::sample(HostSnapshot& into) {
  const auto content = read_proc_file(path_);
  if (!content) return tl::unexpected(content.error());
  auto mounts = parse_mounts(*content, shown_);
  if (!mounts) return tl::unexpected(mounts.error());
  shown_.clear();
  for (const Mount& mount : mounts->shown) shown_.insert(mount.point);

  const std::set<std::string> waiting = stuck();
  if (stuck_.size() >= kMaxStuck) return fail("statvfs does not return: " + listed(waiting));
  std::erase_if(mounts->shown, [&](const Mount& mount) { return waiting.contains(mount.point); });
  const auto round = ask_all(std::move(mounts->shown));
  if (!round) return tl::unexpected(round.error());
  Filesystems& found = into.filesystems.emplace();
  found.left_out = mounts->left_out;
  Result<void> taken = take(**round, found);
  if (const auto now = stuck(); !now.empty()) {
    return fail("statvfs does not return: " + listed(now));
  }
  return taken;
}

}  // namespace ua
