// SPDX-License-Identifier: Apache-2.0
// Small pure functions on text: escaping of untrusted bytes, durations and sizes as people write
// them, and the nearest known word.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

/// One printable line: control characters, invalid UTF-8, C1, and what reorders or hides text
/// become
/// `\xHH`; a backslash stays. Longer than `max_bytes` (of input) is cut and marked "...".
std::string escape_line(std::string_view bytes, std::size_t max_bytes = 512);

/// "Connection refused" for ECONNREFUSED.
std::string errno_text(int error);

/// A URL, or what was meant as one, to be shown: its user and password become "***", its query and
/// fragment "?...", and where a password may hold a '?' all of it is hidden.
std::string without_secrets(std::string_view url);

/// Whether a header of this name is likely to give access to something: "Authorization", "Cookie",
/// "X-Api-Key".
bool names_credential(std::string_view header);

/// "250ms", "5s", "1m30s", "2h", "1d" as Prometheus writes them, plus "us" and decimals ("1.5s");
/// each unit once, the larger first. nullopt for anything else, overflow and a bare number
/// included.
std::optional<Duration> parse_duration(std::string_view text);
/// The shortest text that parse_duration() reads back to the same value, to the microsecond.
std::string format_duration(Duration value);

/// "512", "64KiB", "1MiB", "2GiB", "10kB", "5MB". Bytes; nullopt for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The candidate with the smallest edit distance, where that is at most a third of the word.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

/// FNV-1a with a final mix: the same on every machine and in every version, unlike std::hash.
std::uint64_t stable_hash(std::string_view text);

bool iequals(std::string_view a, std::string_view b);  ///< ASCII
std::string to_lower(std::string_view text);           ///< ASCII
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace ua
