// SPDX-License-Identifier: Apache-2.0
// Which mounted filesystems hold data on this host, from /proc/self/mountinfo. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/result.h"

namespace ua {

struct Mount {
  std::string point;  ///< as the kernel has it, escapes undone
  std::string device;
  std::string type;
  /// The filesystem itself, as after an error of the disk. Not this view of it: a service's own
  /// mount namespace (ProtectSystem=) may be read-only where the host writes.
  bool read_only = false;
};

struct Mounts {
  std::vector<Mount> shown;
  std::uint64_t left_out = 0;  ///< for want of room
};

/// Filesystems on this host's own disks, and an overlay that is the root. Not those in memory or
/// made up by the kernel, nor those that a server or a process (NFS, SMB, FUSE) answers for, which
/// may never answer; nor images that are always full. Of the places where one filesystem is mounted
/// (bind mounts), the one of its root, then the shortest. At most 64; those of `shown_before`
/// first.
Result<Mounts> parse_mounts(std::string_view mountinfo, const std::set<std::string>& shown_before);

}  // namespace ua
