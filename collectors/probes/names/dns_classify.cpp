// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/dns_classify.h"

#include <ares.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <sstream>

namespace ua {
namespace {

constexpr int kOtherRcode = 1000;  // plus the RCODE; beyond all of c-ares' own

/// Letters only: no type or class that is asked for has bytes like them, nor has a label's length.
std::uint8_t lower(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte | 0x20U) : byte;
}

/// The number behind `name` in "name:number", from 1 to 5.
std::optional<int> option(std::string_view word, std::string_view name) {
  constexpr int kMax = 5;
  if (!word.starts_with(name)) return std::nullopt;
  word.remove_prefix(name.size());
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error == std::errc::result_out_of_range && !word.starts_with('-')) return kMax;
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return std::clamp(value, 1, kMax);
}

}  // namespace

int status_of_rcode(unsigned rcode) {
  switch (rcode) {
    case 0:
      return ARES_SUCCESS;
    case 1:
      return ARES_EFORMERR;
    case 2:
      return ARES_ESERVFAIL;
    case 3:
      return ARES_ENOTFOUND;
    case 4:
      return ARES_ENOTIMP;
    case 5:
      return ARES_EREFUSED;
    default:
      return kOtherRcode + static_cast<int>(rcode);
  }
}

bool is_reply_to(std::span<const std::uint8_t> question, std::span<const std::uint8_t> message) {
  constexpr std::size_t kHeader = 12;  // RFC 1035 section 4.1.1
  if (question.size() < kHeader || message.size() < question.size()) return false;
  const bool response = (message[2] & 0x80U) != 0;
  const bool one_question = message[4] == 0 && message[5] == 1;
  const auto same = [](std::uint8_t a, std::uint8_t b) { return lower(a) == lower(b); };
  return response && one_question &&
         std::equal(question.begin() + kHeader, question.end(), message.begin() + kHeader, same);
}

std::pair<ErrorClass, std::string> classify_dns(int status, int local_error) {
  const bool unanswered = status == ARES_ECONNREFUSED || status == ARES_ETIMEOUT;
  if (local_error != 0 && unanswered) {
    const bool forbidden = local_error == EPERM || local_error == EACCES;
    return {forbidden ? ErrorClass::permission_denied : ErrorClass::local_resources_exhausted,
            "errno_" + std::to_string(local_error)};
  }
  switch (status) {
    case ARES_ENOTFOUND:
      return {ErrorClass::dns_not_found, "rcode_3"};
    case ARES_ENODATA:
      return {ErrorClass::dns_not_found, "nodata"};
    case ARES_ETIMEOUT:
      return {ErrorClass::dns_timeout, "timeout"};
    case ARES_EFORMERR:
      return {ErrorClass::dns_failed, "rcode_1"};
    case ARES_ESERVFAIL:
      return {ErrorClass::dns_failed, "rcode_2"};
    case ARES_ENOTIMP:
      return {ErrorClass::dns_failed, "rcode_4"};
    case ARES_EREFUSED:
      return {ErrorClass::dns_failed, "rcode_5"};
    case ARES_ECONNREFUSED:
      return {ErrorClass::dns_failed, "server_unreachable"};
    case ARES_EBADRESP:
      return {ErrorClass::dns_failed, "bad_reply"};
    case ARES_EBADNAME:
      return {ErrorClass::config_invalid, "bad_name"};
    case ARES_ENOMEM:
      return {ErrorClass::local_resources_exhausted, "no_memory"};
    default:
      if (status >= kOtherRcode) {
        return {ErrorClass::dns_failed, "rcode_" + std::to_string(status - kOtherRcode)};
      }
      return {ErrorClass::dns_failed, "ares_" + std::to_string(status)};
  }
}

bool is_answer(int status) {
  switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
    case ARES_EFORMERR:
    case ARES_ESERVFAIL:
    case ARES_ENOTFOUND:
    case ARES_ENOTIMP:
    case ARES_EREFUSED:
      return true;
    default:
      return status >= kOtherRcode;
  }
}

bool is_server_error(int status) {
  return status == ARES_ESERVFAIL || status == ARES_EREFUSED || status == ARES_ENOTIMP;
}

bool is_not_found(int status) { return status == ARES_ENOTFOUND || status == ARES_ENODATA; }

bool is_worse(int a, int b) {
  const auto rank = [](int status) {
    if (status == ARES_ENODATA) return 0;
    if (status == ARES_ENOTFOUND) return 1;
    return status == ARES_ETIMEOUT ? 2 : 3;
  };
  return rank(a) > rank(b);
}

QueryTiming query_timing(std::string_view resolv_conf) {
  QueryTiming timing;
  std::istringstream lines{std::string(resolv_conf)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word != "options") continue;
    while (words >> word) {
      if (const auto seconds = option(word, "timeout:")) timing.timeout = *seconds * 1s;
      if (const auto count = option(word, "attempts:")) timing.tries = *count;
    }
  }
  return timing;
}

std::vector<std::string> search_candidates(const std::string& name,
                                           const std::vector<std::string>& domains, int ndots) {
  if (name.ends_with('.')) return {name};
  std::vector<std::string> result;
  for (const std::string& domain : domains) {
    if (domain.empty() || domain == ".") continue;
    result.push_back(name);
    result.back().append(1, '.').append(domain);
  }
  const bool itself_first = std::count(name.begin(), name.end(), '.') >= ndots;
  result.insert(itself_first ? result.begin() : result.end(), name);
  return result;
}

}  // namespace ua
