// SPDX-License-Identifier: Apache-2.0
// Words for a POSIX shell. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ua {

/// The value itself where it is plain ([A-Za-z0-9_@%+=:,./-]), else in single quotes.
std::string shell_quote(std::string_view value);

}  // namespace ua
