// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tcp/tcp_options.h"

#include <array>

#include "collectors/core/table_reader.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 6> kStarttls{"smtp", "imap",     "pop3",
                                                    "ftp",  "postgres", "mysql"};

Regex read_expect(TableReader& step) {
  const auto pattern = step.text("expect");
  if (!pattern) return nullptr;
  const Result<Regex> regex = compile_regex(*pattern);
  if (!regex) {
    step.complain("expect", regex.error().message);
  } else if (re2::RE2::PartialMatch("", **regex)) {
    step.complain("expect", "matches nothing at all: no answer would be awaited");
  }
  return regex.value_or(nullptr);
}

ExchangeStep read_step(TableReader& table) {
  ExchangeStep step;
  const auto send = table.text("send");
  step.expect = read_expect(table);
  if (send && send->empty()) table.complain("send", "is empty");
  if (send && send->size() > TcpOptions::kMaxSend) table.complain("send", "is longer than 64 KiB");
  if (!table.has("send") && !table.has("expect")) {
    table.complain("send", "a step needs send, expect or both");
  }
  step.send = send.value_or("");
  table.finish();
  return step;
}

}  // namespace

TcpOptions read_tcp_options(TableReader& upstream) {
  TcpOptions result;
  auto table = upstream.table("tcp");
  if (!table) return result;
  for (TableReader& step : table->tables("exchange")) {
    result.exchange.push_back(read_step(step));
  }
  if (result.exchange.size() > TcpOptions::kMaxSteps) {
    table->complain("exchange", "has more than 16 steps");
  }
  if (const auto word = table->choice("starttls", kStarttls)) {
    result.starttls = static_cast<Starttls>(*word + 1);
  }
  table->finish();
  return result;
}

}  // namespace ua
