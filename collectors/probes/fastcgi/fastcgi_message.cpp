// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/fastcgi/fastcgi_message.h"

#include <algorithm>
#include <charconv>

#include "collectors/core/text.h"
#include "collectors/probes/answer/answer_options.h"

namespace ua {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kRequestId = 1;
constexpr std::size_t kMaxContent = 65535;

enum Type : std::uint8_t {
  begin_request = 1,
  end_request = 3,
  params = 4,
  stdin_stream = 5,
  stdout_stream = 6,
  stderr_stream = 7,
  get_values_result = 10,
  unknown_type = 11,
};

bool is_of_application(std::uint8_t type) {
  return type == end_request || type == stdout_stream || type == stderr_stream;
}

bool is_of_management(std::uint8_t type) {
  return type == get_values_result || type == unknown_type;
}

char high_byte(std::size_t value) { return static_cast<char>(value >> 8U & 0xffU); }
char low_byte(std::size_t value) { return static_cast<char>(value & 0xffU); }

void append_record(std::string& out, Type type, std::string_view content) {
  out += {static_cast<char>(kVersion), static_cast<char>(type),  0, static_cast<char>(kRequestId),
          high_byte(content.size()),   low_byte(content.size()), 0, 0};
  out += content;
}

/// One byte, or four with the highest bit set.
void append_length(std::string& out, std::size_t length) {
  if (length < 0x80) {
    out += low_byte(length);
    return;
  }
  out += static_cast<char>((length >> 24U & 0x7fU) | 0x80U);
  out += low_byte(length >> 16U);
  out += high_byte(length);
  out += low_byte(length);
}

/// 0 where it holds no code.
int status_code(std::string_view value) {
  int code = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), code);
  const bool ends = end == value.data() + value.size() || *end == ' ';
  return error == std::errc() && ends && code >= 100 && code <= 999 ? code : 0;
}

std::size_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = at; i < at + size; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

std::string fastcgi_request(const std::vector<std::pair<std::string, std::string>>& parameters) {
  constexpr std::string_view kResponder("\0\1\0\0\0\0\0\0", 8);  // which closes the connection
  std::string pairs;
  for (const auto& [key, value] : parameters) {
    append_length(pairs, key.size());
    append_length(pairs, value.size());
    pairs += key;
    pairs += value;
  }
  std::string out;
  append_record(out, begin_request, kResponder);
  for (std::string_view rest = pairs; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kMaxContent);
    append_record(out, params, piece);
    rest.remove_prefix(piece.size());
  }
  append_record(out, params, "");
  append_record(out, stdin_stream, "");
  return out;
}

bool FastcgiAnswer::take(std::string_view bytes, Time now) {
  while (!bytes.empty()) {
    if (record_header_.size() < kRecordHeader) {
      if (!take_record_header(bytes)) return false;
    } else if (content_left_ > 0) {
      const std::string_view piece = bytes.substr(0, content_left_);
      bytes.remove_prefix(piece.size());
      content_left_ -= piece.size();
      if (!take_content(piece, now)) return false;
    } else {
      const std::size_t skipped = std::min(padding_left_, bytes.size());
      bytes.remove_prefix(skipped);
      padding_left_ -= skipped;
    }
    const bool whole = record_header_.size() == kRecordHeader;
    if (whole && content_left_ == 0 && padding_left_ == 0 && !end_record()) return false;
  }
  return true;
}

bool FastcgiAnswer::take_record_header(std::string_view& bytes) {
  if (!began_ && static_cast<std::uint8_t>(bytes[0]) != kVersion) {
    began_ = true;
    return fail(FastcgiFault::not_fastcgi);
  }
  began_ = true;
  const std::string_view piece = bytes.substr(0, kRecordHeader - record_header_.size());
  record_header_ += piece;
  bytes.remove_prefix(piece.size());
  return record_header_.size() < kRecordHeader || begin_record();
}

bool FastcgiAnswer::begin_record() {
  const std::string_view header = record_header_;
  type_ = static_cast<std::uint8_t>(header[1]);
  const std::size_t id = number(header, 2, 2);
  content_left_ = number(header, 4, 2);
  padding_left_ = static_cast<unsigned char>(header[6]);
  if (static_cast<std::uint8_t>(header[0]) != kVersion) return fail(FastcgiFault::version);
  if (!is_of_application(type_) && !is_of_management(type_)) return fail(FastcgiFault::type);
  if (is_of_application(type_) && id != kRequestId) return fail(FastcgiFault::request_id);
  end_request_.clear();
  return true;
}

bool FastcgiAnswer::take_content(std::string_view bytes, Time now) {
  if (type_ == stdout_stream) return take_output(bytes, now);
  if (type_ == stderr_stream) return take_errors(bytes);
  if (type_ == end_request && end_request_.size() < kRecordHeader) {
    end_request_ += bytes.substr(0, kRecordHeader - end_request_.size());
  }
  return true;
}

bool FastcgiAnswer::end_record() {
  record_header_.clear();
  if (type_ != end_request) return true;
  if (end_request_.size() < kRecordHeader) return fail(FastcgiFault::end_request);
  app_status_ = static_cast<std::uint32_t>(number(end_request_, 0, 4));
  protocol_status_ = static_cast<std::uint8_t>(end_request_[4]);
  ended_ = true;
  return false;
}

bool FastcgiAnswer::take_output(std::string_view bytes, Time now) {
  while (!bytes.empty() && !http_.header_complete()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece =
        bytes.substr(0, newline == std::string_view::npos ? std::string_view::npos : newline + 1);
    line_ += piece;
    bytes.remove_prefix(piece.size());
    if (line_.size() > HttpAnswer::kMaxHeaderBytes) return fail(FastcgiFault::header_too_large);
    if (newline == std::string_view::npos) return true;
    if (!take_line(now)) return false;
  }
  return bytes.empty() || http_.take_body(bytes);
}

bool FastcgiAnswer::take_line(Time now) {
  const std::string line = std::exchange(line_, std::string());
  const std::string_view text = trim(line);
  if (!text.empty()) {
    const std::size_t colon = text.find(':');
    const bool is_header = colon != std::string_view::npos && is_token(text.substr(0, colon));
    if (!is_header) return fail(FastcgiFault::header);
    if (iequals(text.substr(0, colon), "status")) {
      status_ = status_code(trim(text.substr(colon + 1)));
      if (status_ == 0) return fail(FastcgiFault::status);
    }
  }
  return http_.take_header(line, now) || fail(FastcgiFault::header_too_large);
}

bool FastcgiAnswer::take_errors(std::string_view bytes) {
  error_bytes_ += bytes.size();
  if (errors_.size() < kKeptErrors) errors_ += bytes.substr(0, kKeptErrors - errors_.size());
  return error_bytes_ <= kMaxErrors || fail(FastcgiFault::stderr_flood);
}

int FastcgiAnswer::status() const {
  if (!http_.header_complete()) return 0;
  if (status_ != 0) return status_;
  return http_.location().empty() ? 200 : 302;
}

bool FastcgiAnswer::fail(FastcgiFault fault) {
  fault_ = fault;
  return false;
}

}  // namespace ua
