// SPDX-License-Identifier: Apache-2.0
// Something nobody can guess.
#pragma once

#include <string>

namespace ua {

/// 128 bits of the kernel's randomness as 32 hex digits. @throws std::runtime_error without any
std::string random_token();

}  // namespace ua
