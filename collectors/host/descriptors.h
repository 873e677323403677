// SPDX-License-Identifier: Apache-2.0
// Open files of the whole host, from /proc/sys/fs/file-nr. Any thread.
#pragma once

#include <string_view>

#include "collectors/core/result.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

/// proc(5): allocated, free (0 since Linux 2.6), maximum.
Result<FileDescriptors> parse_descriptors(std::string_view file_nr);

}  // namespace ua
