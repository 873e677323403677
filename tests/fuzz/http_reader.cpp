// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/http_reader.h"

#include <algorithm>

#include "collectors/core/text.h"

namespace ua::fuzz {
namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

/// Visible characters, bytes above 0x7f, and those in `more`.
bool is_text(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte > 0x20 && byte != 0x7f) || more.find(c) != std::string_view::npos;
  });
}

/// The lines up to the empty one, each ended by CR LF.
std::optional<std::vector<std::string_view>> take_lines(std::string_view& bytes) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (!is_text(line, " \t")) return std::nullopt;
    if (line.empty() && !lines.empty()) return lines;
    if (!line.empty()) lines.push_back(line);  // empty ones may stand before
  }
}

/// Of HTTP/1, whose later minor versions are read like the latest known (RFC 9110, section 2.5).
bool is_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/1.") && text[7] >= '0' && text[7] <= '9';
}

bool read_header(std::string_view line, HttpHead& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  head.headers.emplace_back(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  return true;
}

bool is_zero(std::string_view text) {
  return !text.empty() && text.find_first_not_of('0') == std::string_view::npos;
}

std::optional<HttpHead> take_head(std::string_view& bytes) {
  const auto lines = take_lines(bytes);
  if (!lines) return std::nullopt;
  HttpHead head;
  std::string_view line = (*lines)[0];
  const std::size_t first = std::min(line.find(' '), line.size());
  head.first = line.substr(0, first);
  line = line.substr(std::min(line.find_first_not_of(' ', first), line.size()));
  const std::size_t second = std::min(line.find(' '), line.size());
  head.second = line.substr(0, second);
  head.third = line.substr(std::min(line.find_first_not_of(' ', second), line.size()));
  const bool all = std::all_of(lines->begin() + 1, lines->end(),
                               [&head](std::string_view one) { return read_header(one, head); });
  return all ? std::optional(std::move(head)) : std::nullopt;
}

}  // namespace

std::vector<std::string> HttpHead::all(std::string_view name) const {
  std::vector<std::string> result;
  for (const auto& [key, value] : headers) {
    if (key == name) result.push_back(value);
  }
  return result;
}

std::string HttpHead::one(std::string_view name) const {
  const auto values = all(name);
  return values.size() == 1 ? values[0] : "";
}

std::optional<HttpHead> take_request(std::string_view& bytes) {
  auto head = take_head(bytes);
  if (!head) return std::nullopt;
  const bool line = is_token(head->first) && !head->second.empty() && is_version(head->third);
  const std::size_t hosts = head->all("host").size();
  const bool one_host = hosts == 1 || (hosts == 0 && head->third == "HTTP/1.0");
  const auto lengths = head->all("content-length");
  const bool no_length = lengths.empty() || (lengths.size() == 1 && is_zero(lengths[0]));
  const bool no_body = head->all("transfer-encoding").empty() && no_length;
  return line && one_host && no_body ? head : std::nullopt;
}

std::optional<HttpHead> take_response_head(std::string_view& bytes) {
  auto head = take_head(bytes);
  const bool line = head && is_version(head->first) && head->second.size() == 3 &&
                    head->second.find_first_not_of("0123456789") == std::string::npos;
  return line ? head : std::nullopt;
}

}  // namespace ua::fuzz
