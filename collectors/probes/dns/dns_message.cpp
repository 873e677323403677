// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_message.h"

#include <algorithm>
#include <array>

#include "collectors/core/text.h"
#include "collectors/probes/dns/dns_reader.h"
#include "collectors/probes/dns/dns_record.h"

namespace ua {
namespace {

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 253;  // 255 bytes on the wire
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kOpt = 41;
// What is not cut into fragments on any path (dnsflagday.net/2020).
constexpr std::uint16_t kUdpSize = 1232;

constexpr std::uint16_t kResponse = 0x8000;
constexpr std::uint16_t kOpcode = 0x7800;
constexpr std::uint16_t kTruncated = 0x0200;
constexpr std::uint16_t kRecursionDesired = 0x0100;

constexpr std::array<DnsWord, 19> kTypes{{{"A", 1},
                                          {"NS", 2},
                                          {"CNAME", 5},
                                          {"SOA", 6},
                                          {"PTR", 12},
                                          {"MX", 15},
                                          {"TXT", 16},
                                          {"AAAA", 28},
                                          {"SRV", 33},
                                          {"NAPTR", 35},
                                          {"DS", 43},
                                          {"SSHFP", 44},
                                          {"DNSKEY", 48},
                                          {"TLSA", 52},
                                          {"SVCB", 64},
                                          {"HTTPS", 65},
                                          {"SPF", 99},
                                          {"ANY", 255},
                                          {"CAA", 257}}};
constexpr std::array<DnsWord, 12> kRcodes{{{"NOERROR", 0},
                                           {"FORMERR", 1},
                                           {"SERVFAIL", 2},
                                           {"NXDOMAIN", 3},
                                           {"NOTIMP", 4},
                                           {"REFUSED", 5},
                                           {"YXDOMAIN", 6},
                                           {"YXRRSET", 7},
                                           {"NXRRSET", 8},
                                           {"NOTAUTH", 9},
                                           {"NOTZONE", 10},
                                           {"BADVERS", 16}}};

std::string name_of(std::span<const DnsWord> words, unsigned number, std::string_view other) {
  const auto known = std::find_if(words.begin(), words.end(),
                                  [number](const DnsWord& word) { return word.number == number; });
  return known != words.end() ? std::string(known->name)
                              : std::string(other) + std::to_string(number);
}

void put16(std::string& out, unsigned value) {
  out += static_cast<char>((value >> 8U) & 0xffU);
  out += static_cast<char>(value & 0xffU);
}

std::string wire_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out;
  if (!name.empty()) {
    for (const std::string_view label : split(name, '.')) {
      out += static_cast<char>(label.size());
      out += label;
    }
  }
  return out + '\0';
}

std::string wire_question(const DnsQuestion& question) {
  std::string out = wire_name(question.name);
  put16(out, question.type);
  put16(out, kInternet);
  return out;
}

struct Header {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  unsigned questions = 0;
  unsigned answers = 0;
  unsigned authorities = 0;
  unsigned additionals = 0;
};

Header read_header(DnsReader& reader) {
  Header header;
  header.id = reader.number16();
  header.flags = reader.number16();
  header.questions = reader.number16();
  header.answers = reader.number16();
  header.authorities = reader.number16();
  header.additionals = reader.number16();
  return header;
}

/// Servers that could not read the question leave it out.
bool repeats(DnsReader& reader, const Header& header, const DnsQuestion& question, unsigned rcode) {
  if (header.questions == 0) return rcode != 0;
  const std::string asked = wire_question(question);
  return header.questions == 1 && iequals(reader.bytes(asked.size()), asked);
}

/// @return whether the records are whole
bool read_records(DnsReader& reader, const Header& header, DnsAnswer& answer) {
  std::size_t text = 0;
  for (unsigned i = 0; i < header.answers; ++i) {
    const DnsRecord record = read_dns_record(reader);
    if (reader.failed()) return false;
    if (record.type == kOpt) continue;
    answer.records.push_back(record_text(record));
    text += answer.records.back().size();
    if (text > DnsAnswer::kMaxText) return false;
  }
  for (unsigned i = 0; i < header.authorities + header.additionals; ++i) {
    const DnsRecord record = skip_dns_record(reader);
    if (reader.failed()) return false;
    if (record.type == kOpt && i >= header.authorities) answer.rcode |= (record.ttl >> 24U) << 4U;
  }
  return true;
}

}  // namespace

std::span<const DnsWord> dns_types() { return kTypes; }
std::span<const DnsWord> dns_rcodes() { return kRcodes; }
std::string dns_type_name(unsigned type) { return name_of(kTypes, type, "TYPE"); }
std::string dns_rcode_name(unsigned rcode) { return name_of(kRcodes, rcode, "RCODE"); }

std::string dns_name_mistake(std::string_view name) {
  if (name == ".") return "";
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return "is empty; the root is \".\"";
  if (name.size() > kMaxName) return "is longer than 253 characters";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) return "is not ASCII; write it in its xn-- form";
    if (byte <= ' ' || byte == 0x7f || c == '\\') return "has spaces, '\\' or control characters";
  }
  for (const std::string_view label : split(name, '.')) {
    if (label.empty()) return "has an empty part between its dots";
    if (label.size() > kMaxLabel) return "has a part of more than 63 characters";
  }
  return "";
}

std::string dns_query(const DnsQuestion& question, std::uint16_t id) {
  std::string out;
  put16(out, id);
  put16(out, question.recursion_desired ? kRecursionDesired : 0);
  put16(out, 1);
  put16(out, 0);
  put16(out, 0);
  put16(out, 1);
  out += wire_question(question);
  out += '\0';  // the root's name, and no flags, version 0, no options
  put16(out, kOpt);
  put16(out, kUdpSize);
  out.append(6, '\0');
  return out;
}

DnsAnswer read_dns_answer(std::string_view message, const DnsQuestion& question, std::uint16_t id) {
  using Kind = DnsAnswer::Kind;
  DnsAnswer answer;
  DnsReader reader(message);
  const std::uint16_t found_id = DnsReader(message).number16();
  const Header header = read_header(reader);
  if (message.size() < 2 || found_id != id) return answer;
  answer.kind = Kind::no_reply;
  const bool response = (header.flags & kResponse) != 0 && (header.flags & kOpcode) == 0;
  if (reader.failed() || !response) return answer;
  answer.rcode = header.flags & 0xfU;
  answer.kind = Kind::other_question;
  if (!repeats(reader, header, question, answer.rcode)) return answer;
  answer.kind = Kind::truncated;
  if ((header.flags & kTruncated) != 0) return answer;
  answer.kind = read_records(reader, header, answer) ? Kind::reply : Kind::malformed;
  if (answer.kind == Kind::malformed) answer.records.clear();
  return answer;
}

}  // namespace ua
