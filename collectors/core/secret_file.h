// SPDX-License-Identifier: Apache-2.0
// Reads small files of an operator's: configuration and secrets, without hanging on a FIFO or a
// device and without trusting their size.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "collectors/core/result.h"

namespace ua {

/// A regular file's whole content, at most `max_bytes`.
Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t max_bytes);

/// The same of a file that only its owner can read: owned by root or by us, closed to group and
/// others. The message of a failure never holds the content.
Result<std::string> read_private_file(const std::filesystem::path& path, std::size_t max_bytes);

/// A secret's file: regular, owned by root or by us, closed to group and others, at most 64 KiB.
/// The line's end is not part of the secret. The message of a failure never holds the content.
Result<std::string> read_secret_file(const std::filesystem::path& path);

}  // namespace ua
