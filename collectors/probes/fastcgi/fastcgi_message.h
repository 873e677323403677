// SPDX-License-Identifier: Apache-2.0
// FastCGI 1.0 on the wire: a request as bytes, and an answer taken apart as it comes in. Knows no
// socket. Field names and numbers are those of the FastCGI specification, sections 3 and 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/core/time.h"
#include "collectors/probes/http/http_answer.h"

namespace ua {

/// A whole responder's request with an empty body: begin, parameters, end of input.
std::string fastcgi_request(const std::vector<std::pair<std::string, std::string>>& params);

/// What is wrong with the bytes of an answer.
enum class FastcgiFault : std::uint8_t {
  none,
  not_fastcgi,  ///< the first byte is no version of it
  version,
  type,  ///< a record that no application sends
  request_id,
  end_request,  ///< too short a record
  header,       ///< no CGI header: a line without a name and a colon
  status,       ///< a Status without a code
  header_too_large,
  stderr_flood,
};

/// Not copied: keeps part of what came in.
class FastcgiAnswer {
 public:
  /// Of what comes by FCGI_STDERR: the beginning is kept, beyond the other it is given up.
  static constexpr std::size_t kKeptErrors = 2048;
  static constexpr std::uint64_t kMaxErrors = 1024ULL * 1024;

  /// As HttpAnswer.
  FastcgiAnswer(std::uint64_t max_body, bool keep_body, bool keep_headers)
      : http_(max_body, keep_body, keep_headers) {}

  /// @return false where nothing more is needed: it is complete, capped or faulty
  bool take(std::string_view bytes, Time now);

  FastcgiFault fault() const { return fault_; }
  bool empty() const { return !began_; }                             ///< not one byte came
  bool ended() const { return ended_; }                              ///< by FCGI_END_REQUEST
  std::uint8_t protocol_status() const { return protocol_status_; }  ///< of that record
  std::uint32_t app_status() const { return app_status_; }           ///< of that record
  bool header_complete() const { return http_.header_complete(); }
  /// Of the Status header, else 302 beside a Location, else 200; 0 before the header is complete.
  int status() const;
  const HttpAnswer& http() const { return http_; }  ///< headers and body; no status line
  std::string_view errors() const { return errors_; }

 private:
  static constexpr std::size_t kRecordHeader = 8;

  bool take_record_header(std::string_view& bytes);
  bool begin_record();
  bool take_content(std::string_view bytes, Time now);
  bool end_record();
  bool take_output(std::string_view bytes, Time now);
  bool take_line(Time now);
  bool take_errors(std::string_view bytes);
  bool fail(FastcgiFault fault);

  HttpAnswer http_;
  FastcgiFault fault_ = FastcgiFault::none;
  bool began_ = false;
  bool ended_ = false;
  std::uint8_t protocol_status_ = 0;
  std::uint32_t app_status_ = 0;
  int status_ = 0;

  std::string record_header_;     // of the record that comes in, until it is whole
  std::size_t content_left_ = 0;  // of the record's content
  std::size_t padding_left_ = 0;
  std::uint8_t type_ = 0;
  std::string end_request_;  // the content of such a record
  std::string line_;         // of the CGI header
  std::string errors_;
  std::uint64_t error_bytes_ = 0;
};

}  // namespace ua
