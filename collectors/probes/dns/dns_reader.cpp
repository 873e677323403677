// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_reader.h"

namespace ua {
namespace {

constexpr std::uint8_t kPointer = 0xc0;
constexpr std::size_t kMaxWire = 255;
// More than any name has labels, each of which may be pointed to.
constexpr int kMaxPointers = 128;

void append_label(std::string& text, std::string_view label) {
  for (const char c : label) append_escaped(text, c, ".\\\"();@$ ");
  text += '.';
}

}  // namespace

void append_escaped(std::string& text, char c, std::string_view special) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < ' ' || byte >= 0x7f) {
    text += '\\';
    text += static_cast<char>('0' + byte / 100);
    text += static_cast<char>('0' + byte / 10 % 10);
    text += static_cast<char>('0' + byte % 10);
    return;
  }
  if (special.find(c) != std::string_view::npos) text += '\\';
  text += c;
}

std::string_view DnsReader::bytes(std::size_t size) {
  if (failed_ || size > message_.size() - at_) {
    failed_ = true;
    return {};
  }
  const std::string_view result = message_.substr(at_, size);
  at_ += size;
  return result;
}

std::uint8_t DnsReader::number8() {
  const std::string_view found = bytes(1);
  return found.empty() ? 0 : static_cast<std::uint8_t>(found[0]);
}

std::uint16_t DnsReader::number16() {
  const unsigned high = number8();
  return static_cast<std::uint16_t>((high << 8U) | number8());
}

std::uint32_t DnsReader::number32() {
  const std::uint32_t high = number16();
  return (high << 16U) | number16();
}

void DnsReader::skip_name() {
  for (std::size_t wire = 1; !failed_;) {
    const std::uint8_t size = number8();
    if (size == 0) return;
    if ((size & kPointer) == kPointer) {
      number8();
      return;
    }
    wire += size + 1U;
    if ((size & kPointer) != 0 || wire > kMaxWire) return fail();
    bytes(size);
  }
}

std::string DnsReader::name() {
  std::string text;
  std::size_t wire = 1;
  std::size_t least = at_;  // a pointer leads to before that
  int pointers = 0;
  DnsReader part = *this;
  skip_name();
  while (!part.failed_) {
    const std::uint8_t size = part.number8();
    if (size == 0) break;
    if ((size & kPointer) == kPointer) {
      const std::size_t to = (size & 0x3fU) * 256UL + part.number8();
      if (to >= least || ++pointers > kMaxPointers) part.fail();
      least = part.at_ = to;
      continue;
    }
    wire += size + 1U;
    if ((size & kPointer) != 0 || wire > kMaxWire) part.fail();
    append_label(text, part.bytes(size));
  }
  if (part.failed_) fail();
  return text.empty() ? "." : text;
}

}  // namespace ua
