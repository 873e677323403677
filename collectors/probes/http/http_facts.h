// SPDX-License-Identifier: Apache-2.0
// What a libcurl handle knows of a transfer that ended: evidence for the verdict, facts and times.
// Nothing here is kept. Loop thread.
#pragma once

#include <curl/curl.h>

#include "collectors/core/outcome.h"
#include "collectors/probes/http/http_answer.h"
#include "collectors/probes/http/http_classify.h"

namespace ua {

/// Status, whether the request went out, errno of a connect, and how far TLS came.
void read_transfer(CURL* handle, HttpEvidence& evidence);

HttpFacts http_facts(const HttpEvidence& evidence, const HttpAnswer& answer);

/// The phases that were reached and ended.
/// @param tunnel how long a proxy took to open one; zero: none, or not opened
/// @param started when the handle got its socket
/// @param now when the transfer ended
PhaseTimes read_times(CURL* handle, const HttpEvidence& evidence, const HttpAnswer& answer,
                      Duration tunnel, Time started, Time now);

}  // namespace ua
