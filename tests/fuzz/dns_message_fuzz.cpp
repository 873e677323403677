// SPDX-License-Identifier: Apache-2.0
// A name server's answer of any bytes, to one of a few questions: the first byte says which.
#include "collectors/probes/dns/dns_message.h"

#include "collectors/probes/dns/dns_judge.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

constexpr std::uint16_t kId = 0x1234;

void check_records(const DnsAnswer& answer) {
  std::size_t size = 0;
  for (const std::string& record : answer.records) {
    size += record.size();
    for (const char c : record) {
      expect((c >= ' ' && c <= '~') || c == '\t', "a record is one printable line");
    }
  }
  expect(size <= DnsAnswer::kMaxText, "records are bounded");
  expect(answer.records.empty() || answer.kind == DnsAnswer::Kind::reply,
         "only a reply has records");
}

}  // namespace

void dns_message(std::string_view bytes) {
  Input input(bytes);
  const DnsQuestion question{input.coin() ? "a.test" : ".", 1, true};
  const std::string_view message = input.rest();
  const DnsAnswer answer = read_dns_answer(message, question, kId);
  check_records(answer);
  Outcome outcome;
  judge_dns(DnsOptions{}, answer, outcome);
  check_classified({outcome.error, outcome.detail});
  const DnsAnswer other = read_dns_answer(message, question, kId + 1);
  expect(answer.kind == DnsAnswer::Kind::other_id || other.kind == DnsAnswer::Kind::other_id,
         "an answer has one id");
  std::string own = dns_query(question, kId);
  expect(read_dns_answer(own, question, kId).kind == DnsAnswer::Kind::no_reply,
         "a question is no reply");
  own[2] = '\x80';
  expect(read_dns_answer(own, question, kId).kind == DnsAnswer::Kind::reply,
         "with the bit of a response it is an empty one");
}

}  // namespace ua::fuzz
