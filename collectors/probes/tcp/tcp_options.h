// SPDX-License-Identifier: Apache-2.0
// What is said on a connection before anything else ([upstream.tcp]): the options of tcp probes,
// and STARTTLS of tls probes. Plain values.
#pragma once

#include <string>
#include <vector>

#include "collectors/probes/answer/regex.h"
#include "collectors/probes/tls/starttls.h"

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
  Starttls starttls = Starttls::none;  ///< of tls targets
};

/// Reports every mistake.
TcpOptions read_tcp_options(TableReader& upstream);

}  // namespace ua
