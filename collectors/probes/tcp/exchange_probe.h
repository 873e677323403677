// SPDX-License-Identifier: Apache-2.0
// Says something on a connection and awaits an answer, step by step. Loop thread.
#pragma once

#include "collectors/probes/probe_types.h"
#include "collectors/probes/tcp/tcp_options.h"

namespace ua {

/// What one step's answer may have at most before it matches.
inline constexpr std::uint64_t kMaxExchangeAnswer = 64UL * 1024;

/// For tcp and tcp+unix targets with tcp.exchange.
ProbeMaker make_exchange_maker(TcpOptions options);

}  // namespace ua
