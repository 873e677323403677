// SPDX-License-Identifier: Apache-2.0
// A server before TLS that says anything: the first byte is the protocol, the second how large the
// pieces are in which it comes.
#include "collectors/probes/tls/starttls.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

using State = StarttlsDialogue::State;

void check_failure(const StarttlsDialogue::Failure& failure, Starttls protocol) {
  expect(failure.error != ErrorClass::none, "what failed has a class");
  expect(phase_of(failure.error) != Phase::local, "a server's words are no trouble of this host's");
  check_detail(failure.detail);
  expect(starttls_of(failure.detail) == name(protocol), "a detail names the protocol");
  expect(failure.message.size() <= 5 * StarttlsDialogue::kMaxSaid, "a message is bounded");
  for (const char c : failure.message) {
    expect(static_cast<unsigned char>(c) >= ' ' && c != '\x7f', "a message is one printable line");
  }
}

}  // namespace

void starttls(std::string_view bytes) {
  Input input(bytes);
  const auto protocol = static_cast<Starttls>(1 + input.below(6));
  const std::size_t piece = input.byte() + 1U;
  std::string_view rest = input.rest();
  StarttlsDialogue dialogue(protocol);
  std::size_t said = dialogue.take_outgoing().size();
  std::size_t taken = 0;
  while (!rest.empty() && dialogue.state() == State::going) {
    check_failure(dialogue.timed_out(), protocol);
    check_failure(dialogue.ended(Stream::End::fin), protocol);
    const std::string_view part = rest.substr(0, piece);
    rest.remove_prefix(part.size());
    taken += part.size();
    dialogue.take(part);
    said += dialogue.take_outgoing().size();
  }
  expect(said <= 64, "what is said is short");
  expect(taken <= StarttlsDialogue::kMaxBytes + piece, "what is taken is bounded");
  if (dialogue.state() == State::failed) return check_failure(dialogue.failure(), protocol);
  expect(dialogue.failure().error == ErrorClass::none, "what did not fail has no class");
  if (dialogue.state() == State::ready) {
    dialogue.take("x");
    check_failure(dialogue.failure(), protocol);
  }
}

}  // namespace ua::fuzz
