// SPDX-License-Identifier: Apache-2.0
// Whose trouble it is where a forward proxy stands between.
#include "collectors/probes/http/http_classify.h"
#include "tests/catch.h"

namespace ua {
namespace {

using enum ErrorClass;

HttpEvidence tunnel(int status, CURLcode code = CURLE_RECV_ERROR) {
  HttpEvidence evidence;
  evidence.code = code;
  evidence.tls = evidence.proxied = evidence.tunnelled = true;
  evidence.tunnel_status = status;
  return evidence;
}

TEST_CASE("until the tunnel stands nothing is a matter of TLS") {
  struct Row {
    int status;
    ErrorClass error;
    bool proxy;
  };
  for (const Row& row :
       {Row{407, config_invalid, true}, Row{401, config_invalid, true},
        Row{403, config_invalid, true}, Row{301, config_invalid, true},
        Row{429, rate_limited, true}, Row{500, http_gateway_error, false},
        Row{503, http_gateway_error, false}, Row{504, http_gateway_error, false}}) {
    INFO(row.status);
    const HttpEvidence evidence = tunnel(row.status);
    CHECK(classify_transfer(evidence).error == row.error);
    CHECK(classify_transfer(evidence).detail == "connect_" + std::to_string(row.status));
    CHECK(proxy_part(evidence).failed == row.proxy);
  }
  HttpEvidence silent = tunnel(0, CURLE_OK);
  silent.timed_out = true;
  CHECK(classify_transfer(silent).error == response_timeout);
  CHECK(classify_transfer(silent).detail == "connect");
  CHECK_FALSE(proxy_part(silent).failed);
  HttpEvidence garbage = tunnel(0);
  garbage.tunnel_garbage = true;
  CHECK(classify_transfer(garbage).error == protocol_mismatch);
  CHECK(proxy_part(garbage).failed);
  HttpEvidence large = tunnel(200);
  large.error_text = "CONNECT response too large";
  CHECK(classify_transfer(large).error == headers_too_large);
  CHECK(proxy_part(large).failed);
  HttpEvidence closed = tunnel(0);
  closed.tcp.known = closed.tcp.fin_received = true;
  CHECK(classify_transfer(closed).error == closed_before_headers);
  CHECK(proxy_part(closed).failed);
}

TEST_CASE("once it stands the trouble is the upstream's") {
  HttpEvidence evidence = tunnel(200, CURLE_SSL_CONNECT_ERROR);
  evidence.tunnel_open = true;
  CHECK(classify_transfer(evidence).error == tls_handshake_failed);
  CHECK_FALSE(proxy_part(evidence).failed);
  CHECK(proxy_part(evidence).message.empty());
  evidence.timed_out = true;
  CHECK(classify_transfer(evidence).error == tls_timeout);
}

TEST_CASE("a status of plain HTTP may be the proxy's own; 407 is") {
  HttpEvidence evidence;
  evidence.proxied = true;
  for (const int status : {0, 200, 404, 499}) {
    evidence.status = status;
    CHECK(proxy_part(evidence).message.empty());
  }
  evidence.status = 401;
  CHECK_FALSE(proxy_part(evidence).message.empty());
  evidence.status = 502;
  CHECK_FALSE(proxy_part(evidence).failed);
  CHECK(proxy_part(evidence).message ==
        "the status may be the proxy's own: it came through http.proxy_url");
  evidence.status = 407;
  CHECK(proxy_part(evidence).failed);
  evidence.proxied = false;
  CHECK(proxy_part(evidence).message.empty());
}

}  // namespace
}  // namespace ua
