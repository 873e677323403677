// SPDX-License-Identifier: Apache-2.0
// An HTTP answer as it comes in: the limits on it and what a verdict needs of it. Knows no socket
// and no libcurl. Owned by an HttpProbe; loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/core/time.h"

namespace ua {

class HttpAnswer {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 64UL * 1024;
  static constexpr unsigned kMaxHeaderLines = 200;
  /// Kept of a body that need not be matched: enough to recognise a telltale error page.
  static constexpr std::size_t kStartOfBody = 512;

  /// @param max_body bytes taken of the body
  /// @param keep_body all of them are kept, not just the start
  /// @param keep_headers the lines of the header are kept
  HttpAnswer(std::uint64_t max_body, bool keep_body, bool keep_headers = false)
      : max_body_(max_body),
        kept_(keep_body ? static_cast<std::size_t>(max_body) : kStartOfBody),
        keep_headers_(keep_headers) {}

  /// One line, the status line and the empty one at the end included.
  /// @return false where the header is too large: give the transfer up
  bool take_header(std::string_view line, Time now);
  /// @return false where max_body is reached: enough seen, end the transfer
  bool take_body(std::string_view data);

  bool header_overflow() const { return header_overflow_; }
  /// The empty line after the last header block that is no interim (1xx) one.
  bool header_complete() const { return header_complete_; }
  int status() const { return status_of_block_; }  ///< of the last header block; 0: none yet
  Time headers_at() const { return headers_at_; }  ///< when it came
  const std::string& location() const { return location_; }
  /// The lines of the last header block, where they are kept; no trailers.
  std::string_view headers() const { return headers_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  bool body_capped() const { return body_capped_; }
  std::string_view body() const { return body_; }  ///< what was kept
  std::string_view body_start() const { return body().substr(0, kStartOfBody); }

 private:
  std::uint64_t max_body_;
  std::size_t kept_;
  bool keep_headers_;
  std::size_t header_bytes_ = 0;
  unsigned header_lines_ = 0;
  bool header_overflow_ = false;
  bool header_complete_ = false;
  Time headers_at_;
  int status_of_block_ = 0;
  std::string location_;
  std::string headers_;
  std::uint64_t body_bytes_ = 0;
  bool body_capped_ = false;
  std::string body_;
};

}  // namespace ua
