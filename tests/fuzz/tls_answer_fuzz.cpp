// SPDX-License-Identifier: Apache-2.0
// An HTTPS probe whose peer answers the ClientHello with any bytes: what other protocols send, or a
// TLS server that is broken. The first byte says which options the probe has.
#include <array>
#include <string>

#include "collectors/probes/http/http_probe.h"
#include "tests/fuzz/answered.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

ProbeMaker maker(bool verify, bool send_name) {
  TlsOptions tls;
  tls.insecure_skip_verify = !verify;
  tls.send_server_name = send_name;
  return make_http_maker(HttpOptions{}, tls);
}

bool speaks_http(std::string_view answer) { return answer.starts_with("HTTP/1."); }

}  // namespace

void tls_answer(std::string_view bytes) {
  static const std::array<ProbeMaker, 3> makers{maker(true, true), maker(false, true),
                                                maker(false, false)};
  static const Target target = *parse_target("https://a.example:8443/x");
  Input input(bytes);
  const ProbeMaker& chosen = makers[input.below(makers.size())];
  const std::string_view answer = input.rest().substr(0, kMaxAnswer);
  const ProbeResult result = probe_answered(chosen, target, answer);
  const Outcome& outcome = result.outcome;
  check_classified({outcome.error, outcome.detail});
  // Nobody finishes a handshake that has answered before it was asked: the keys depend on both.
  expect(!outcome.success(), "no handshake is finished");
  expect(!result.follow, "nobody was asked for a page");
  expect(phase_of(outcome.error) == Phase::tls || outcome.error == ErrorClass::protocol_mismatch,
         "a failure of TLS is one");
  expect(!outcome.http, "there was no HTTP");
  expect(!outcome.tls || (!outcome.tls->verified && !outcome.tls->from_second_handshake),
         "nothing is verified, and nothing comes from elsewhere");
  if (speaks_http(answer)) {
    expect_same(name(outcome.error), name(ErrorClass::protocol_mismatch),
                "plain HTTP is told as such");
  }
}

}  // namespace ua::fuzz
