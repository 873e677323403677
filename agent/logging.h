// SPDX-License-Identifier: Apache-2.0
// Log lines as key=value pairs or JSON, to standard error, written by a thread of their own: a full
// pipe loses lines (counted) and never holds up the caller, nor does it hold up the end. At most
// 100 lines a second, warnings, errors and events apart; how many were left out is said in the next
// one's second. Any thread.
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
/// @param fd where to write
Result<void> start_logging(std::string_view level, std::string_view format, int fd = 2);
/// The level from here on; one that does not exist is passed over.
void set_log_level(std::string_view level);
/// Writes out what is queued, for at most a second. No other thread may log any more.
void stop_logging();

/// Values may be any bytes: they are escaped to one line and cut at 512 bytes.
void log_debug(std::string_view message, std::initializer_list<LogField> fields = {});
void log_info(std::string_view message, std::initializer_list<LogField> fields = {});
/// At level info, of the agent's own life: no wave of other lines pushes it out.
void log_event(std::string_view message, std::initializer_list<LogField> fields = {});
void log_warning(std::string_view message, std::initializer_list<LogField> fields = {});
void log_error(std::string_view message, std::initializer_list<LogField> fields = {});

/// Lines lost since the start: the reader was too slow or gone, or there were too many a second.
std::uint64_t log_dropped();

/// Pure: the text after the time and level, for tests.
std::string logfmt_line(std::string_view message, std::initializer_list<LogField> fields);
std::string json_line(std::string_view message, std::initializer_list<LogField> fields);

}  // namespace ua
