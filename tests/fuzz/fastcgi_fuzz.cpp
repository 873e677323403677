// SPDX-License-Identifier: Apache-2.0
// A FastCGI answer of any bytes, taken in pieces of any size: the first byte says how large.
#include "collectors/probes/fastcgi/fastcgi_message.h"

#include "collectors/probes/fastcgi/fastcgi_judge.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

constexpr std::uint64_t kMaxBody = 1000;
constexpr Time kNow{std::chrono::seconds(100)};

struct Read {
  FastcgiAnswer answer{kMaxBody, true, true};
  bool more = true;
};

Read read(std::string_view bytes, std::size_t piece) {
  Read result;
  while (!bytes.empty() && result.more) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    result.more = result.answer.take(part, kNow);
  }
  return result;
}

Outcome judged(const Read& read) {
  Outcome outcome;
  if (read.more) {
    judge_fastcgi_end(read.answer, Stream::End::fin, outcome);
  } else {
    judge_fastcgi(FastcgiOptions{}, read.answer, outcome);
  }
  return outcome;
}

void check_bounds(const FastcgiAnswer& answer) {
  expect(answer.http().body_bytes() <= kMaxBody, "a body is bounded");
  expect(answer.errors().size() <= FastcgiAnswer::kKeptErrors, "errors are bounded");
  expect(answer.http().headers().size() <= HttpAnswer::kMaxHeaderBytes, "headers are bounded");
}

}  // namespace

void fastcgi(std::string_view bytes) {
  Input input(bytes);
  const std::size_t piece = input.byte() + 1U;
  const std::string_view rest = input.rest();
  const Read pieces = read(rest, piece);
  const Read whole = read(rest, rest.size() + 1);
  check_bounds(pieces.answer);
  const Outcome outcome = judged(pieces);
  check_classified({outcome.error, outcome.detail});
  expect(outcome.error == ErrorClass::none || phase_of(outcome.error) != Phase::local,
         "what a server sends is no trouble of this machine's");
  const Outcome other = judged(whole);
  expect(outcome.error == other.error && outcome.detail == other.detail,
         "the verdict does not depend on how the bytes come in");
  expect(pieces.answer.http().body() == whole.answer.http().body(), "nor does the body");
}

}  // namespace ua::fuzz
