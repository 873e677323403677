// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/transcript.h"

#include <array>
#include <cstdio>

#include "collectors/core/text.h"
#include "collectors/probes/names/resolver.h"

namespace ua {
namespace {

constexpr std::size_t kBytesShown = 200;

/// A server's demand is no credential.
bool is_secret(std::string_view header) {
  return names_credential(header) && !iequals(header, "www-authenticate") &&
         !iequals(header, "proxy-authenticate");
}

/// "GET /path?query HTTP/1.1" without the query.
std::string request_line(std::string_view line) {
  const std::size_t query = line.find('?');
  const std::size_t version = line.rfind(' ');
  if (query == std::string_view::npos || version < query) return std::string(line);
  return std::string(line.substr(0, query)) + "?..." + std::string(line.substr(version));
}

}  // namespace

std::string hide_secrets(std::string_view head_line) {
  const std::size_t colon = head_line.find(':');
  const std::string_view name = trim(head_line.substr(0, colon));
  const bool header =
      colon != std::string_view::npos && !name.empty() && name.find(' ') == std::string_view::npos;
  if (!header) return request_line(head_line);
  const std::string_view value = trim(head_line.substr(colon + 1));
  if (is_secret(name)) return std::string(name) + ": <secret>";
  const bool url = value.find("://") != std::string_view::npos || value.starts_with('/') ||
                   iequals(name, "location");
  return std::string(name) + ": " + (url ? without_secrets(value) : std::string(value));
}

std::string resolution_text(std::string_view host, const Resolved& resolved) {
  std::string result(host);
  if (resolved.addresses.empty()) {
    return result + " has no address: " + std::string(name(resolved.error)) + ' ' + resolved.detail;
  }
  std::string_view before = " has ";
  for (const Endpoint& address : resolved.addresses) {
    const std::string text = address.text();
    result += std::string(before) + text.substr(0, text.rfind(':'));  // the port is none yet
    before = ", ";
  }
  return result;
}

void Transcript::sent_head(Time now, std::string_view head) {
  sent_ += head;
  const std::size_t end = sent_.rfind('\n');
  if (end == std::string::npos) return;
  add_head(now, '>', std::string_view(sent_).substr(0, end));
  sent_.erase(0, end + 1);
}

void Transcript::sent_bytes(Time now, std::size_t size) {
  add(now, '>', "[" + std::to_string(size) + " bytes]");
}

void Transcript::received_bytes(Time now, std::string_view bytes) {
  add(now, '<', "[" + std::to_string(bytes.size()) + " bytes] " + escape_line(bytes, kBytesShown));
}

void Transcript::add_head(Time now, char mark, std::string_view head) {
  for (std::string_view line : split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) add(now, mark, hide_secrets(line));
  }
}

void Transcript::add(Time now, char mark, std::string_view line) {
  if (lines_ == kMaxLines) text_ += "    ... and so on\n";
  if (++lines_ > kMaxLines) return;
  std::array<char, 48> time{};
  std::snprintf(time.data(), time.size(), "%10.3f ms  %c ", to_seconds(now - start_) * 1e3, mark);
  text_ += time.data() + escape_line(line, kMaxLine) + '\n';
}

}  // namespace ua
