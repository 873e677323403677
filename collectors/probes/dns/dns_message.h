// SPDX-License-Identifier: Apache-2.0
// A question to a name server and its answer, as they are on the wire (RFC 1035 section 4, EDNS0 of
// RFC 6891). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ua {

struct DnsQuestion {
  std::string name;  ///< "example.org", with or without a dot at its end; "." is the root
  std::uint16_t type = 1;
  bool recursion_desired = true;
};

/// Why that is no name that can be asked for; empty: it is one.
std::string dns_name_mistake(std::string_view name);

/// @param question its name is one
std::string dns_query(const DnsQuestion& question, std::uint16_t id);

struct DnsAnswer {
  enum class Kind : std::uint8_t {
    other_id,        ///< or too short to have one
    no_reply,        ///< no DNS message, or a question itself
    other_question,  ///< the reply to another one
    malformed,       ///< the reply, but its records are broken
    truncated,       ///< cut off to fit: the rest is to be asked for over TCP
    reply,
  };

  /// All records' text together; what is longer is malformed.
  static constexpr std::size_t kMaxText = 256UL * 1024;

  Kind kind = Kind::other_id;
  unsigned rcode = 0;  ///< with the upper bits of EDNS0
  /// Of the answer section, as zone files have them, a tab between the fields:
  /// "example.org.\t60\tIN\tA\t192.0.2.1". Printable ASCII.
  std::vector<std::string> records;
};

DnsAnswer read_dns_answer(std::string_view message, const DnsQuestion& question, std::uint16_t id);

struct DnsWord {
  std::string_view name;
  std::uint16_t number;
};
/// The types that can be asked for, and the response codes, in the order of their numbers.
std::span<const DnsWord> dns_types();
std::span<const DnsWord> dns_rcodes();
std::string dns_type_name(unsigned type);    ///< "A"; "TYPE99"
std::string dns_rcode_name(unsigned rcode);  ///< "NXDOMAIN"; "RCODE12"

}  // namespace ua
