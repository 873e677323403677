// SPDX-License-Identifier: Apache-2.0
// Space and inodes of the filesystems on this host's disks. Each sample asks on a thread of its
// own, since a disk that does not answer holds whoever asks for ever. Sampling thread.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/time.h"
#include "collectors/host/mounts.h"
#include "collectors/host/proc_file.h"

namespace ua {

/// statvfs(3) of a mount point; may never return.
Result<FilesystemUsage> ask_filesystem(const Mount& mount);

/// A filesystem that has not answered after `patience` fails this sample; from the next one on it
/// is passed over, and the others have their figures, until it answers. Its thread stays behind: at
/// most four, then no filesystem is asked.
class FilesystemSampler final : public HostSampler {
 public:
  using Ask = std::function<Result<FilesystemUsage>(const Mount&)>;
  explicit FilesystemSampler(const std::filesystem::path& proc, Ask ask = ask_filesystem,
                             Duration patience = 500ms)
      : path_(proc / "self" / "mountinfo"), ask_(std::move(ask)), patience_(patience) {}
  std::string_view name() const override { return "filesystems"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  struct Round;
  std::set<std::string> stuck();
  Result<std::shared_ptr<Round>> ask_all(std::vector<Mount> mounts);
  Result<void> take(Round& round, Filesystems& into);

  std::filesystem::path path_;
  Ask ask_;
  Duration patience_;
  std::set<std::string> shown_;
  std::vector<std::shared_ptr<Round>> stuck_;
};

}  // namespace ua
