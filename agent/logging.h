// SPDX-License-Identifier: Apache-2.0
// Log lines as key=value pairs or JSON, to standard error, written by a thread of their own: a full
// pipe loses lines (counted) and never holds up the caller. Any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/core/result.h"

namespace ua {

using LogField = std::pair<std::string_view, std::string>;

/// @param level trace, debug, info, warn, error or off
/// @param format logfmt or json
Result<void> start_logging(std::string_view level, std::string_view format);
/// Writes out what is queued, for at most a second.
void stop_logging();

/// Values may be any bytes: they are escaped to one line and cut at 512 bytes.
void log_debug(std::string_view message, std::initializer_list<LogField> fields = {});
void log_info(std::string_view message, std::initializer_list<LogField> fields = {});
void log_warning(std::string_view message, std::initializer_list<LogField> fields = {});
void log_error(std::string_view message, std::initializer_list<LogField> fields = {});

/// Lines lost because the reader was too slow, since the start.
std::uint64_t log_dropped();

/// Pure: the text after the time and level, for tests.
std::string logfmt_line(std::string_view message, std::initializer_list<LogField> fields);
std::string json_line(std::string_view message, std::initializer_list<LogField> fields);

}  // namespace ua
