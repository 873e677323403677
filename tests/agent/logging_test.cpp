// SPDX-License-Identifier: Apache-2.0
#include "agent/logging.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/log_limit.h"
#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"
#include "tests/catch.h"

namespace ua {
namespace {

using namespace std::chrono_literals;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    reader.reset(ends[0]);
    writer.reset(ends[1]);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    std::signal(SIGPIPE, SIG_IGN);
  }
  /// All until the writer is closed.
  std::string drain() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t size = 0; (size = ::read(reader.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
  }
  /// Until there are that many lines.
  std::string take_lines(std::ptrdiff_t lines) const {
    std::string text;
    char c = 0;
    while (std::count(text.begin(), text.end(), '\n') < lines && ::read(reader.get(), &c, 1) == 1) {
      text += c;
    }
    return text;
  }
  UniqueFd reader;
  UniqueFd writer;
};

/// The lines without their time stamps.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  for (const std::string_view line : split(trim(text), '\n')) {
    result.emplace_back(line.substr(line.find(' ') + 1));
  }
  return result;
}

TEST_CASE("values in logfmt are one word or quoted, on one line") {
  CHECK(logfmt_line("started", {}) == "msg=started");
  CHECK(logfmt_line("two words", {{"a", "plain"}, {"b", ""}, {"c", "x=y"}}) ==
        R"(msg="two words" a=plain b="" c="x=y")");
  CHECK(logfmt_line("m", {{"a", "say \"hi\""}}) == R"(msg=m a="say \"hi\"")");
  CHECK(logfmt_line("m", {{"a", "x\nlevel=info msg=forged"}}) ==
        R"(msg=m a="x\\x0alevel=info msg=forged")");
  CHECK(logfmt_line("m", {{"a", "\x1b[31m"}}) == R"(msg=m a="\\x1b[31m")");
  CHECK(logfmt_line("m", {{"a", std::string(600, 'x')}}).size() == 8 + 512 + 3);
}

TEST_CASE("values in JSON are whole, valid and escaped") {
  for (const std::string value : {"plain", "say \"hi\"", "a\nb", "\xff\xfe", "\x1b[31m", "\\"}) {
    const auto object = nlohmann::json::parse('{' + json_line("m", {{"a", value}}) + '}');
    CHECK(object["msg"] == "m");
    CHECK(object["a"] == escape_line(value));
  }
}

TEST_CASE("levels and formats that do not exist are refused") {
  CHECK(start_logging("loud", "json").error().message ==
        "unknown log level 'loud'; there are trace, debug, info, warn, error and off");
  CHECK(start_logging("info", "xml").error().message ==
        "unknown log format 'xml'; there are logfmt and json");
  log_error("nobody listens");
  CHECK(log_dropped() == 0);
  stop_logging();
}

TEST_CASE("lines of the level and above are written in order") {
  Pipe pipe;
  REQUIRE(start_logging("warn", "logfmt", pipe.writer.get()));
  log_info("left out");
  log_warning("first", {{"upstream", "a b"}});
  log_error("second");
  stop_logging();
  pipe.writer.reset();
  const std::string text = pipe.drain();
  CHECK(text.substr(0, 5) == "ts=20");
  CHECK(lines_of(text) == std::vector<std::string>{"level=warning msg=first upstream=\"a b\"",
                                                   "level=error msg=second"});
}

TEST_CASE("the level can change while lines are written") {
  Pipe pipe;
  REQUIRE(start_logging("error", "logfmt", pipe.writer.get()));
  log_info("before");
  set_log_level("debug");
  log_debug("between");
  set_log_level("loud");  // there is none such
  log_debug("still");
  set_log_level("warn");
  log_info("after");
  stop_logging();
  set_log_level("info");  // nobody listens
  pipe.writer.reset();
  CHECK(lines_of(pipe.drain()) ==
        std::vector<std::string>{"level=debug msg=between", "level=debug msg=still"});
}

TEST_CASE("each line of the JSON log is an object") {
  Pipe pipe;
  REQUIRE(start_logging("debug", "json", pipe.writer.get()));
  log_debug("one \"quoted\"", {{"k", "{v}"}});
  stop_logging();
  pipe.writer.reset();
  const auto object = nlohmann::json::parse(pipe.drain());
  CHECK(object["level"] == "debug");
  CHECK(object["msg"] == "one \"quoted\"");
  CHECK(object["k"] == "{v}");
  CHECK(object["ts"].get<std::string>().size() == std::string("2026-01-01T00:00:00.000Z").size());
}

TEST_CASE("a full pipe holds up neither the caller nor the end, and what is lost is counted") {
  Pipe pipe;
  REQUIRE(start_logging("info", "logfmt", pipe.writer.get()));
  const std::string value(500, 'x');
  for (int i = 0; i < 10'000; ++i) log_info("line", {{"value", value}});
  CHECK(log_dropped() > 5000);
  stop_logging();
  pipe.reader.reset();  // the thread that was left behind ends its write
}

TEST_CASE("a pipe that is read again goes on without a gap") {
  Pipe pipe;
  REQUIRE(start_logging("info", "logfmt", pipe.writer.get()));
  const std::string value(500, 'x');
  for (int i = 0; i < 30; ++i) log_info(std::to_string(i), {{"value", value}});
  const auto lines = lines_of(pipe.take_lines(30));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    REQUIRE(lines[i] == "level=info msg=" + std::to_string(i) + " value=" + value);
  }
  CHECK(log_dropped() == 0);
  stop_logging();
}

TEST_CASE("a reader that went away costs lines and nothing else") {
  Pipe pipe;
  pipe.reader.reset();
  REQUIRE(start_logging("info", "logfmt", pipe.writer.get()));
  log_info("lost");
  stop_logging();
}

TEST_CASE("a hundred lines a second pass, the rest is counted") {
  LogLimit limit;
  unsigned passed = 0;
  for (int i = 0; i < 250; ++i) passed += limit.allow(10s, false) ? 1 : 0;
  CHECK(passed == 100);
  CHECK(limit.take_suppressed() == 150);
  CHECK(limit.take_suppressed() == 0);
  CHECK(limit.allow(11s, false));
  CHECK(limit.allow(5s, false));  // the clock was set back
  for (int i = 0; i < 99; ++i) CHECK(limit.allow(5s, false));
  CHECK_FALSE(limit.allow(5s, false));
}

TEST_CASE("what is important has a budget of its own, which ends too") {
  LogLimit limit;
  for (int i = 0; i < 101; ++i) limit.allow(10s, false);
  for (int i = 0; i < 1000; ++i) CHECK(limit.allow(10s, true));
  CHECK_FALSE(limit.allow(10s, true));
  CHECK(limit.take_suppressed() == 2);
  CHECK(limit.allow(11s, true));
}

TEST_CASE("a wave of lines pushes out neither warnings nor errors nor events") {
  Pipe pipe;
  fcntl(pipe.writer.get(), F_SETPIPE_SZ, 1 << 20);
  REQUIRE(start_logging("info", "logfmt", pipe.writer.get()));
  // Over several seconds at the most; in any of them the wave is far over the budget.
  for (int i = 0; i < 3000; ++i) log_info("wave");
  log_warning("warned");
  log_error("failed");
  log_event("stopping", {{"signal", "15"}});
  stop_logging();
  pipe.writer.reset();
  auto lines = lines_of(pipe.drain());
  CHECK(lines.size() < 3000);
  std::erase(lines, "level=info msg=wave");
  std::erase_if(lines, [](const std::string& line) {
    return line.find("too many log lines") != std::string::npos;
  });
  CHECK(lines == std::vector<std::string>{"level=warning msg=warned", "level=error msg=failed",
                                          "level=info msg=stopping signal=15"});
}

}  // namespace
}  // namespace ua
