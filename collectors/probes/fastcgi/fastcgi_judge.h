// SPDX-License-Identifier: Apache-2.0
// What FastCGI answers mean. Pure.
#pragma once

#include "collectors/core/outcome.h"
#include "collectors/probes/fastcgi/fastcgi_message.h"
#include "collectors/probes/fastcgi/fastcgi_options.h"
#include "collectors/probes/net/stream.h"

namespace ua {

/// What an answer means that is complete, or as far as it is needed: class, detail and message. The
/// patterns are matched after it. Pure.
void judge_fastcgi(const FastcgiOptions& options, const FastcgiAnswer& answer, Outcome& outcome);

/// The same for an answer that the end of the connection cut off.
void judge_fastcgi_end(const FastcgiAnswer& answer, Stream::End end, Outcome& outcome);

}  // namespace ua
