// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_record.h"

#include <arpa/inet.h>

#include <array>

#include "collectors/probes/dns/dns_message.h"

namespace ua {
namespace {

std::string address(DnsReader& reader, int family, std::size_t size) {
  const std::string_view bytes = reader.bytes(size);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes.size() == size) inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

void append_quoted(std::string& text, std::string_view bytes) {
  text += text.empty() ? "\"" : " \"";
  for (const char c : bytes) append_escaped(text, c, "\"\\");
  text += '"';
}

/// One or more, each with its length before it.
std::string strings(DnsReader& reader, std::size_t end) {
  std::string text;
  while (!reader.failed() && reader.position() < end) {
    append_quoted(text, reader.bytes(reader.number8()));
  }
  return text;
}

std::string numbers(DnsReader& reader, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(reader.number16()) + ' ';
  return text;
}

std::string soa(DnsReader& reader) {
  std::string text = reader.name();
  text += ' ' + reader.name();
  for (int i = 0; i < 5; ++i) text += ' ' + std::to_string(reader.number32());
  return text;
}

/// RFC 8659 section 4.1
std::string caa(DnsReader& reader, std::size_t end) {
  std::string text = std::to_string(reader.number8()) + ' ';
  for (const char c : reader.bytes(reader.number8())) append_escaped(text, c, "\"\\");
  if (reader.failed() || reader.position() > end) return {};
  append_quoted(text, reader.bytes(end - reader.position()));
  return text;
}

/// RFC 3597 section 5
std::string unknown(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\\# " + std::to_string(bytes.size());
  if (!bytes.empty()) text += ' ';
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {kHex[byte >> 4U], kHex[byte & 0xfU]};
  }
  return text;
}

std::string data_of(DnsReader& reader, unsigned type, std::size_t end) {
  switch (type) {
    case 1:
      return address(reader, AF_INET, 4);
    case 28:
      return address(reader, AF_INET6, 16);
    case 2:
    case 5:
    case 12:
      return reader.name();
    case 6:
      return soa(reader);
    case 15: {
      const std::string preference = numbers(reader, 1);
      return preference + reader.name();
    }
    case 16:
    case 99:
      return strings(reader, end);
    case 33: {
      const std::string fields = numbers(reader, 3);
      return fields + reader.name();
    }
    case 257:
      return caa(reader, end);
    default:
      return unknown(reader.bytes(end - reader.position()));
  }
}

/// @return where the data ends
std::size_t read_fields(DnsReader& reader, DnsRecord& record) {
  record.type = reader.number16();
  record.klass = reader.number16();
  record.ttl = reader.number32();
  const std::size_t size = reader.number16();
  return reader.position() + size;
}

}  // namespace

DnsRecord read_dns_record(DnsReader& reader) {
  DnsRecord record;
  record.owner = reader.name();
  const std::size_t end = read_fields(reader, record);
  DnsReader whole = reader;
  whole.bytes(end - reader.position());
  if (whole.failed()) {
    reader.fail();
    return record;
  }
  record.data = data_of(reader, record.type, end);
  if (reader.position() != end) reader.fail();
  return record;
}

DnsRecord skip_dns_record(DnsReader& reader) {
  DnsRecord record;
  reader.skip_name();
  const std::size_t end = read_fields(reader, record);
  reader.bytes(end - reader.position());
  return record;
}

std::string record_text(const DnsRecord& record) {
  const std::string klass = record.klass == 1 ? "IN" : "CLASS" + std::to_string(record.klass);
  return record.owner + '\t' + std::to_string(record.ttl) + '\t' + klass + '\t' +
         dns_type_name(record.type) + '\t' + record.data;
}

}  // namespace ua
