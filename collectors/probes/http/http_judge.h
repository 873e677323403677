// SPDX-License-Identifier: Apache-2.0
// What a complete HTTP answer means by its status: right, wrong, or a redirect to go on with. Pure.
#pragma once

#include "collectors/probes/http/http_answer.h"
#include "collectors/probes/http/http_classify.h"
#include "collectors/probes/http/http_options.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/target.h"

namespace ua {

/// Sets class, detail and message of `result.outcome`, or `result.follow`. Headers and body are
/// matched after this (answer_match.h).
void judge_answer(const HttpOptions& http, const Target& target, const HttpEvidence& evidence,
                  const HttpAnswer& answer, ProbeResult& result);

}  // namespace ua
