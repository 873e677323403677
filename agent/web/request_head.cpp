// SPDX-License-Identifier: Apache-2.0
#include "agent/web/request_head.h"

#include <algorithm>
#include <cstddef>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr HeadRefusal kHidden{400,
                              "Bad request: a zero byte, a folded line, or a line that does not "
                              "end in CR LF.\n"};
constexpr HeadRefusal kByte{400,
                            "Bad request: white space in the target, a control character, or a "
                            "method or a name of a header that can be none.\n"};
constexpr HeadRefusal kHost{400, "Bad request: it needs one Host header.\n"};
constexpr HeadRefusal kOrigin{400, "Bad request: it has more than one Origin header.\n"};
constexpr HeadRefusal kAuthorization{400,
                                     "Bad request: it has more than one Authorization header.\n"};
constexpr HeadRefusal kLength{400, "Bad request: its length is given more than once.\n"};
constexpr HeadRefusal kBody{413, "No page here takes a request with a body.\n"};

const char* end_of(std::string_view text) { return text.data() + text.size(); }

/// The separator and further spaces.
bool joins(std::string_view text, std::string_view next, std::string_view spaces) {
  const char* const begin = end_of(text) + 1;
  if (next.data() < begin) return false;
  const std::string_view between(begin, static_cast<std::size_t>(next.data() - begin));
  return between.find_first_not_of(spaces) == std::string_view::npos;
}

bool hides_something(const RequestHead& head) {
  constexpr std::size_t kLineEnd = 2;  // a lone CR or LF leaves one zero byte
  if (!joins(head.method, head.uri, " ") || end_of(head.uri) + 1 != head.version.data()) {
    return true;
  }
  const char* end = end_of(head.version);
  for (const auto& [name, value] : head.headers) {
    if (name.data() != end + kLineEnd || !joins(name, value, " \t")) return true;
    end = end_of(value);
  }
  return head.end != end + 2 * kLineEnd;
}

auto count(const RequestHead& head, std::string_view wanted) {
  return std::count_if(head.headers.begin(), head.headers.end(),
                       [&](const auto& header) { return iequals(header.first, wanted); });
}

/// A zero byte is none here: in a query they stand over the separators.
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte != 0 && byte < ' ' && c != '\t') || byte == 0x7f;
}

/// A lone CR, which others take for a line end, among them.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

/// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kToken =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(kToken) == std::string_view::npos;
}

/// Behind the target some stand for one; within it, others may see an end there.
bool has_inner_space(std::string_view uri) {
  return uri.substr(0, uri.find_last_not_of(' ') + 1).find(' ') != std::string_view::npos;
}

bool has_bad_byte(const RequestHead& head) {
  return !is_token(head.method) || has_control(head.uri) || has_inner_space(head.uri) ||
         std::any_of(head.headers.begin(), head.headers.end(), [](const auto& header) {
           return !is_token(header.first) || has_control(header.second);
         });
}

bool has_length(const RequestHead& head) {
  return std::any_of(head.headers.begin(), head.headers.end(), [](const auto& header) {
    return iequals(header.first, "Content-Length") &&
           header.second.find_first_not_of('0') != std::string_view::npos;
  });
}

}  // namespace

std::optional<HeadRefusal> refuse_head(const RequestHead& head) {
  if (head.end != nullptr && hides_something(head)) return kHidden;
  if (has_bad_byte(head)) return kByte;
  const auto hosts = count(head, "Host");
  if (hosts > 1 || (hosts == 0 && head.version != "HTTP/1.0")) return kHost;
  if (count(head, "Origin") > 1) return kOrigin;
  if (count(head, "Authorization") > 1) return kAuthorization;
  const auto encodings = count(head, "Transfer-Encoding");
  const auto lengths = count(head, "Content-Length");
  if (lengths > 1 || (lengths > 0 && encodings > 0)) return kLength;
  if (encodings > 0 || has_length(head)) return kBody;
  return std::nullopt;
}

}  // namespace ua
