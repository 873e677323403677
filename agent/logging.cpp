// SPDX-License-Identifier: Apache-2.0
#include "agent/logging.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kQueueLines = 4096;

struct Logging {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  bool json = false;
};

// The one log of the process; set once at start, before any other thread runs.
std::unique_ptr<Logging> g_logging;  // NOLINT(readability-identifier-naming)

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=\\") != std::string_view::npos;
}

std::string logfmt_value(std::string_view value) {
  const std::string escaped = escape_line(value);
  if (!needs_quotes(escaped)) return escaped;
  std::string result = "\"";
  for (const char c : escaped) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

void write(spdlog::level::level_enum level, std::string_view message,
           std::initializer_list<LogField> fields) {
  if (!g_logging || !g_logging->logger->should_log(level)) return;
  const std::string line =
      g_logging->json ? json_line(message, fields) : logfmt_line(message, fields);
  g_logging->logger->log(level, "{}", line);
}

}  // namespace

std::string logfmt_line(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = "msg=" + logfmt_value(message);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=' + logfmt_value(value);
  }
  return line;
}

std::string json_line(std::string_view message, std::initializer_list<LogField> fields) {
  nlohmann::ordered_json object;
  object["msg"] = escape_line(message);
  for (const auto& [key, value] : fields) object[std::string(key)] = escape_line(value);
  std::string text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.substr(1, text.size() - 2);  // the pattern puts time and level before it
}

Result<void> start_logging(std::string_view level, std::string_view format) {
  static constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info",
                                                           "warn",  "error", "off"};
  if (std::find(kLevels.begin(), kLevels.end(), level) == kLevels.end()) {
    return fail("unknown log level '" + escape_line(level, 40) +
                "'; there are trace, debug, info, warn, error and off");
  }
  if (format != "logfmt" && format != "json") {
    return fail("unknown log format '" + escape_line(format, 40) + "'; there are logfmt and json");
  }
  auto logging = std::make_unique<Logging>();
  logging->json = format == "json";
  logging->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  logging->logger = std::make_shared<spdlog::async_logger>(
      "agent", std::make_shared<spdlog::sinks::stderr_sink_mt>(), logging->pool,
      spdlog::async_overflow_policy::overrun_oldest);
  logging->logger->set_level(spdlog::level::from_str(std::string(level)));
  logging->logger->flush_on(spdlog::level::trace);
  logging->logger->set_pattern(logging->json ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                             : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                               spdlog::pattern_time_type::utc);
  g_logging = std::move(logging);
  return {};
}

void stop_logging() {
  if (!g_logging) return;
  // A reader that never drains the pipe would hold the writing thread for ever: it gets a second,
  // then the process leaves without it.
  auto* logging = g_logging.release();
  std::promise<void> done;
  const std::future<void> written = done.get_future();
  std::thread([logging, done = std::move(done)]() mutable {
    delete logging;
    done.set_value();
  }).detach();
  written.wait_for(std::chrono::seconds(1));
}

void log_debug(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::debug, message, fields);
}
void log_info(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::info, message, fields);
}
void log_warning(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::warn, message, fields);
}
void log_error(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::err, message, fields);
}

std::uint64_t log_dropped() { return g_logging ? g_logging->pool->overrun_counter() : 0; }

}  // namespace ua
