// SPDX-License-Identifier: Apache-2.0
// Reads a DNS message from front to back; what is not there reads as nothing and is remembered. A
// value; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ua {

class DnsReader {
 public:
  explicit DnsReader(std::string_view message) : message_(message) {}

  bool failed() const { return failed_; }
  std::size_t position() const { return at_; }
  std::uint8_t number8();
  std::uint16_t number16();
  std::uint32_t number32();
  std::string_view bytes(std::size_t size);
  /// As zone files have it, absolute, what is special escaped: "a\.b.example.org.". A compressed
  /// name's pointers (RFC 1035 section 4.1.4) lead back only, so that none leads in a circle.
  std::string name();
  /// The same, nothing made of it.
  void skip_name();
  void fail() { failed_ = true; }

 private:
  std::string_view message_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

/// A byte of a name or text, escaped where zone files do (RFC 1035 section 5.1).
void append_escaped(std::string& text, char c, std::string_view special);

}  // namespace ua
