// SPDX-License-Identifier: Apache-2.0
// What libcurl tells of a transfer, written into a transcript. Loop thread.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "collectors/probes/transcript.h"

namespace ua {

/// Of all that it says in words, only what TLS has come to: connecting is ours.
void transcribe(Transcript& transcript, Time now, curl_infotype type, std::string_view data);

}  // namespace ua
