// SPDX-License-Identifier: Apache-2.0
// What [upstream.http] says: how to ask, and what an answer must be like. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/probes/answer/answer_options.h"
#include "collectors/probes/answer/regex.h"
#include "collectors/probes/options.h"
#include "collectors/probes/target.h"

namespace ua {

/// `version`: what is asked for, and must then be spoken.
enum class HttpVersion : std::uint8_t {
  any,  ///< HTTP/2 where TLS agrees on it, else 1.1
  v1_0,
  v1_1,
  v2,        ///< over TLS
  v2_prior,  ///< without asking first
};

/// A forward proxy; its credentials are for it alone.
struct HttpProxy {
  Target url;
  std::string basic_auth;  ///< "user:password"; empty: none
};

struct HttpOptions {
  std::string method = "GET";
  std::string
      host;  ///< Host header (and SNI for https unless tls.server_name is set); empty: target's
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  ///< of the request
  StatusSet expect_status;
  AnswerPatterns patterns;
  bool follow_redirects = false;
  std::string basic_auth;    ///< "user:password", out of basic_auth = {username, password_file}
  std::string bearer_token;  ///< out of bearer_token_file
  HttpVersion version = HttpVersion::any;
  std::shared_ptr<const HttpProxy> proxy;
  std::uint64_t max_body = 1024ULL * 1024;  ///< bytes
};

/// Reports every mistake; the values returned are usable defaults where there was one.
HttpOptions read_http_options(TableReader& upstream, const ProbeLimits& limits);

}  // namespace ua
