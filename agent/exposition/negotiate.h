// SPDX-License-Identifier: Apache-2.0
// What a client asks for in its Accept and Accept-Encoding headers (RFC 9110 section 12.5). Pure
// functions, linear in the length of the header, which is untrusted.
#pragma once

#include <string_view>

#include "agent/exposition/format.h"

namespace ua {

/// OpenMetrics only where it is named (version 1.0.0 or none) and liked at least as much as plain
/// text; text otherwise, also where the client accepts neither.
ExpositionFormat negotiate_format(std::string_view accept);

/// Whether to answer in gzip: named, or covered by "*", and liked at least as much as identity.
bool negotiate_gzip(std::string_view accept_encoding);

}  // namespace ua
