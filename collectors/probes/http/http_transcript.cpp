// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_transcript.h"

#include <algorithm>
#include <array>

#include "collectors/core/text.h"

namespace ua {
namespace {

using namespace std::string_view_literals;

constexpr std::array kTelling{
    "SSL "sv,        "ALPN"sv,         "subject:"sv, "issuer:"sv,
    "start date:"sv, "expire date:"sv, "TLSv1"sv,    "Server certificate"sv};

void transcribe_words(Transcript& transcript, Time now, std::string_view words) {
  words = trim(words);
  const bool telling = std::any_of(kTelling.begin(), kTelling.end(),
                                   [&](std::string_view word) { return words.starts_with(word); });
  if (telling) transcript.note(now, words);
}

}  // namespace

void transcribe(Transcript& transcript, Time now, curl_infotype type, std::string_view data) {
  switch (type) {
    case CURLINFO_TEXT:
      return transcribe_words(transcript, now, data);
    case CURLINFO_HEADER_OUT:
      return transcript.sent_head(now, data);
    case CURLINFO_HEADER_IN:
      return transcript.received_head(now, data);
    case CURLINFO_DATA_OUT:
      return transcript.sent_bytes(now, data.size());
    case CURLINFO_DATA_IN:
      return transcript.received_bytes(now, data);
    default:
      return;
  }
}

}  // namespace ua
