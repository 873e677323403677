// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/descriptors.h"

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {

Result<FileDescriptors> parse_descriptors(std::string_view file_nr) {
  const auto fields = words(trim(file_nr));
  if (fields.size() != 3) return fail("/proc/sys/fs/file-nr: expected three numbers");
  const auto allocated = number<std::uint64_t>(fields[0]);
  const auto unused = number<std::uint64_t>(fields[1]);
  const auto maximum = number<std::uint64_t>(fields[2]);
  if (!allocated || !unused || !maximum || *unused > *allocated) {
    return fail("/proc/sys/fs/file-nr: not a number");
  }
  return FileDescriptors{*allocated - *unused, *maximum};
}

}  // namespace ua
