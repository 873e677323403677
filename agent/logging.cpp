// SPDX-License-Identifier: Apache-2.0
#include "agent/logging.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/log_limit.h"
#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"

namespace ua {
namespace {

constexpr std::size_t kQueueLines = 4096;
constexpr std::string_view kEventLogger = "event";

std::string line_of(bool json, std::string_view message, std::initializer_list<LogField> fields) {
  return json ? json_line(message, fields) : logfmt_line(message, fields);
}

/// Writes to a descriptor, past stdio: a lock of stdio's that a blocked writer holds would hold up
/// the end of the process. The logging thread's, so it needs no mutex of its own.
class DescriptorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  DescriptorSink(UniqueFd fd, bool json) : fd_(std::move(fd)), json_(json) {}

  std::uint64_t lost() const { return lost_; }
  std::future<void> flushed() { return flushed_.get_future(); }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto second =
        std::chrono::duration_cast<std::chrono::seconds>(message.time.time_since_epoch());
    const bool important =
        message.level >= spdlog::level::warn || message.logger_name == kEventLogger;
    if (!limit_.allow(second, important)) {
      ++lost_;
      return;
    }
    say_what_was_left_out(message.time);
    write_line(message);
  }

  /// Called once, at the end.
  void flush_() override { flushed_.set_value(); }

  void say_what_was_left_out(spdlog::log_clock::time_point time) {
    const std::uint64_t lines = limit_.take_suppressed();
    if (lines == 0) return;
    const std::string text = line_of(json_, "too many log lines a second; some were left out",
                                     {{"lines", std::to_string(lines)}});
    write_line(spdlog::details::log_msg(time, {}, "", spdlog::level::warn, text));
  }

  void write_line(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t buffer;
    formatter_->format(message, buffer);
    std::string_view rest(buffer.data(), buffer.size());
    while (!rest.empty()) {
      const ssize_t written = ::write(fd_.get(), rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {  // somebody who shares the descriptor set it non-blocking
        pollfd writable{fd_.get(), POLLOUT, 0};
        ::poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        ++lost_;
        return;
      }
    }
  }

  UniqueFd fd_;
  bool json_;
  LogLimit limit_;
  std::atomic<std::uint64_t> lost_{0};
  std::promise<void> flushed_;
};

struct Logging {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<DescriptorSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::async_logger> events;  // the same, but its lines are known by its name
  bool json = false;
};

// The one log of the process.
std::atomic<Logging*> g_logging{nullptr};  // NOLINT(readability-identifier-naming)

bool is_level(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info",
                                                           "warn",  "error", "off"};
  return std::find(kLevels.begin(), kLevels.end(), text) != kLevels.end();
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=\\") != std::string_view::npos;
}

std::string logfmt_value(std::string_view value) {
  std::string escaped = escape_line(value);
  if (!needs_quotes(escaped)) return escaped;
  std::string result = "\"";
  for (const char c : escaped) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

void write(spdlog::level::level_enum level, std::string_view message,
           std::initializer_list<LogField> fields,
           std::shared_ptr<spdlog::async_logger> Logging::*which = &Logging::logger) {
  const Logging* logging = g_logging;
  if (logging == nullptr || !logging->logger->should_log(level)) return;
  (logging->*which)->log(level, "{}", line_of(logging->json, message, fields));
}

std::shared_ptr<spdlog::async_logger> logger_called(std::string_view name, const Logging& logging) {
  return std::make_shared<spdlog::async_logger>(std::string(name), logging.sink, logging.pool,
                                                spdlog::async_overflow_policy::overrun_oldest);
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

Result<void> start_logging(std::string_view level, std::string_view format, int fd) {
  if (!is_level(level)) {
    return fail("unknown log level '" + escape_line(level, 40) +
                "'; there are trace, debug, info, warn, error and off");
  }
  if (format != "logfmt" && format != "json") {
    return fail("unknown log format '" + escape_line(format, 40) + "'; there are logfmt and json");
  }
  // A copy, as a writer that is left behind may outlive the caller's.
  UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!own) return fail("cannot log: " + errno_text(errno), errno);
  auto logging = std::make_unique<Logging>();
  logging->json = format == "json";
  logging->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  logging->sink = std::make_shared<DescriptorSink>(std::move(own), logging->json);
  logging->logger = logger_called("agent", *logging);
  logging->events = logger_called(kEventLogger, *logging);
  logging->logger->set_level(spdlog::level::from_str(std::string(level)));
  logging->logger->set_pattern(logging->json ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                             : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                               spdlog::pattern_time_type::utc);
  g_logging = logging.release();
  return {};
}

void set_log_level(std::string_view level) {
  Logging* logging = g_logging;
  if (logging == nullptr || !is_level(level)) return;
  logging->logger->set_level(spdlog::level::from_str(std::string(level)));
}

void stop_logging() {
  std::unique_ptr<Logging> logging(g_logging.exchange(nullptr));
  if (!logging) return;
  const std::future<void> written = logging->sink->flushed();
  logging->logger->flush();
  if (written.wait_for(std::chrono::seconds(1)) == std::future_status::ready) return;
  // A reader that never drains the pipe holds the writing thread for ever, and joining it would
  // hold the process: it is left behind with all it uses, in a list that outlives even exit().
  static auto& left_behind = *new std::vector<Logging*>;
  left_behind.push_back(logging.release());
}

void log_debug(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::debug, message, fields);
}
void log_info(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::info, message, fields);
}
void log_event(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::info, message, fields, &Logging::events);
}
void log_warning(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::warn, message, fields);
}
void log_error(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::err, message, fields);
}

std::uint64_t log_dropped() {
  const Logging* logging = g_logging;
  return logging == nullptr ? 0 : logging->pool->overrun_counter() + logging->sink->lost();
}

}  // namespace ua
