// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_answer.h"

#include <algorithm>

#include "collectors/core/text.h"

namespace ua {
namespace {

/// The code of "HTTP/1.1 200 OK"; 0 where there is none.
int status_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  int status = 0;
  for (std::size_t i = space + 1; space != std::string_view::npos && i < line.size(); ++i) {
    if (line[i] < '0' || line[i] > '9' || status > 999) break;
    status = status * 10 + (line[i] - '0');
  }
  return status;
}

bool is_interim(int status) { return status >= 100 && status <= 199 && status != 101; }

}  // namespace

bool HttpAnswer::take_header(std::string_view line, Time now) {
  header_bytes_ += line.size();
  ++header_lines_;
  if (header_bytes_ > kMaxHeaderBytes || header_lines_ > kMaxHeaderLines) {
    header_overflow_ = true;
    return false;
  }
  if (line.starts_with("HTTP/")) {
    location_.clear();
    headers_.clear();
    status_of_block_ = status_of(line);
    return true;
  }
  if (line.empty() || line[0] == '\r' || line[0] == '\n') {  // blanks would continue a header
    if (!is_interim(status_of_block_)) {
      header_complete_ = true;
      headers_at_ = now;
    }
    return true;
  }
  if (keep_headers_ && !header_complete_) headers_ += line;
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && iequals(line.substr(0, colon), "location")) {
    location_ = trim(line.substr(colon + 1));
  }
  return true;
}

bool HttpAnswer::take_body(std::string_view data) {
  const std::uint64_t room = max_body_ - std::min(max_body_, body_bytes_);
  const std::string_view taken =
      data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, data.size())));
  body_bytes_ += taken.size();
  if (body_.size() < kept_) body_ += taken.substr(0, kept_ - body_.size());
  body_capped_ = taken.size() < data.size();
  return !body_capped_;
}

}  // namespace ua
