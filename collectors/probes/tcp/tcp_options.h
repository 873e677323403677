// SPDX-License-Identifier: Apache-2.0
// The options of tcp probes ([upstream.tcp]). Plain values.
#pragma once

#include <string>
#include <vector>

#include "collectors/probes/answer/regex.h"

namespace ua {

class TableReader;

/// First `send` is sent, then an answer is awaited that `expect` matches.
struct ExchangeStep {
  std::string send;  ///< empty: nothing
  Regex expect;      ///< null: nothing is awaited
};

struct TcpOptions {
  static constexpr std::size_t kMaxSteps = 16;
  static constexpr std::size_t kMaxSend = 64UL * 1024;
  std::vector<ExchangeStep> exchange;  ///< empty: being connected is all that is asked
};

/// Reports every mistake.
TcpOptions read_tcp_options(TableReader& upstream);

}  // namespace ua
