// SPDX-License-Identifier: Apache-2.0
// Pages made of hostile names, labels and texts, read by the parsers that users have.
#include <fcntl.h>
#include <prometheus/metric_family.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/exposition/text_writer.h"
#include "agent/metrics/probe_store.h"
#include "tests/catch.h"

extern char** environ;

namespace ua {
namespace {

namespace fs = std::filesystem;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "ua-pages-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TemporaryDirectory() { fs::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Ended {
  int code = -1;  ///< 127: no such program
  std::string output;
};

/// Runs a program with its input from `input`; output and errors go to one text.
Ended run(std::vector<std::string> command, const fs::path& input, const fs::path& directory) {
  const fs::path output = directory / "output";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return {127, ""};
  int status = 0;
  ::waitpid(child, &status, 0);
  std::ostringstream text;
  text << std::ifstream(output).rdbuf();
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text.str()};
}

class Hostile {
 public:
  explicit Hostile(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::string text() {
    static const std::array<std::string, 16> pieces_known{"\\",
                                                          "\"",
                                                          "\n",
                                                          "\\n",
                                                          "\\\"",
                                                          "}",
                                                          "{a=\"b\"} 1",
                                                          "# EOF\n",
                                                          "\xED\xA0\x80",
                                                          "\xC0\xAF",
                                                          "\xE2\x80\xA8",
                                                          "\xC2\x85",
                                                          "\xF0\x9F\x98\x80",
                                                          ",le=\"",
                                                          "\xE2\x82",
                                                          std::string(1, '\0')};
    std::string result;
    const std::uint64_t pieces = below(500) == 0 ? 20'000 : below(6);
    for (std::uint64_t i = 0; i < pieces; ++i) {
      if (below(2) == 0) {
        result += pieces_known[below(pieces_known.size())];
      } else {
        result += static_cast<char>(below(256));
      }
    }
    return result;
  }

  std::string name() {
    static const std::array<std::string, 12> names{"a",        "a_total",   "a_sum", "a_count",
                                                   "a_bucket", "a_created", "le",    "quantile",
                                                   "__name__", "_total",    "0",     ""};
    return below(2) == 0 ? names[below(names.size())] : text().substr(0, 40);
  }

  double number() { return below(2) == 0 ? static_cast<double>(below(9)) - 2 : any_double(); }
  double any_double() { return std::bit_cast<double>(random_()); }

  prometheus::ClientMetric metric() {
    prometheus::ClientMetric metric;
    for (std::uint64_t i = below(4); i > 0; --i) metric.label.push_back({name(), text()});
    metric.counter.value = number();
    metric.gauge.value = number();
    metric.untyped.value = number();
    metric.histogram.sample_count = below(20);
    metric.histogram.sample_sum = number();
    metric.summary.sample_count = below(20);
    metric.summary.sample_sum = number();
    for (std::uint64_t i = below(4); i > 0; --i) {
      metric.histogram.bucket.push_back({below(20), number()});
      metric.summary.quantile.push_back({number() / 4, number()});
    }
    return metric;
  }

  prometheus::MetricFamily family() {
    static constexpr std::array<prometheus::MetricType, 5> kTypes{
        prometheus::MetricType::Counter, prometheus::MetricType::Gauge,
        prometheus::MetricType::Summary, prometheus::MetricType::Untyped,
        prometheus::MetricType::Histogram};
    prometheus::MetricFamily family;
    family.name = name();
    family.help = text();
    family.type = kTypes[below(kTypes.size())];
    for (std::uint64_t i = below(5); i > 0; --i) family.metric.push_back(metric());
    return family;
  }

 private:
  std::mt19937_64 random_;
};

/// Hostile families, and a store whose configuration and certificate are hostile too.
std::string hostile_page(std::uint64_t seed, ExpositionFormat format) {
  Hostile hostile(seed);
  ProbeStore store({}, 1'000'000);
  TextWriter writer(format);
  for (int i = 0; i < 3; ++i) {
    LabelPairs labels;
    for (int j = 0; j < 3; ++j) labels.emplace_back(hostile.name(), hostile.text());
    const auto row = store.add({.upstream = hostile.text(),
                                .target = "https://" + hostile.text(),
                                .address = hostile.text(),
                                .type = "http",
                                .service = hostile.text(),
                                .labels = labels,
                                .interval = 1s});
    if (!row) continue;
    Outcome outcome;
    outcome.tls = TlsFacts{};
    outcome.tls->version = hostile.text();
    outcome.tls->certificate = Certificate{};
    outcome.tls->certificate->subject = hostile.text();
    outcome.tls->certificate->issuer = hostile.text();
    outcome.times.set(TimedPhase::total, 5ms);
    store.record(*row, {.outcome = outcome,
                        .verdict = Verdict::up,
                        .when = {},
                        .state_change = {},
                        .last_success = {},
                        .observe_latency = true,
                        .now = {}});
  }
  store.render(writer, Time{});
  constexpr int kFamilies = 40;
  std::vector<prometheus::MetricFamily> families;
  families.reserve(kFamilies);
  for (int i = 0; i < kFamilies; ++i) families.push_back(hostile.family());
  writer.families(families);
  return writer.finish();
}

std::size_t samples_in(const std::string& page) {
  std::size_t count = 0;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) count += line.starts_with('#') ? 0 : 1;
  return count;
}

constexpr std::uint64_t kPages = 120;  // some 8 000 hostile metrics in each format

TEST_CASE("the Python reference parsers read every hostile page and find every sample") {
  const TemporaryDirectory directory;
  std::vector<std::string> command{"/usr/bin/python3",
                                   UA_SOURCE_DIR "/tests/agent/exposition/read_pages.py"};
  std::string expected;
  for (std::uint64_t seed = 0; seed < kPages; ++seed) {
    for (const auto format : {ExpositionFormat::text, ExpositionFormat::openmetrics}) {
      const std::string page = hostile_page(seed, format);
      const std::string file =
          std::to_string(seed) + (format == ExpositionFormat::text ? ".txt" : ".om");
      std::ofstream(directory.path() / file, std::ios::binary) << page;
      command.push_back((directory.path() / file).string());
      expected += file + ' ' + std::to_string(samples_in(page)) + '\n';
    }
  }
  const Ended ended = run(command, "/dev/null", directory.path());
  if (ended.code == 127 || ended.output == "no prometheus_client\n") {
    WARN("skipped: needs python3 with prometheus_client (python3-prometheus-client)");
    return;
  }
  CHECK(ended.code == 0);
  CHECK(ended.output == expected);
}

TEST_CASE("promtool reads every hostile page") {
  const TemporaryDirectory directory;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const fs::path file = directory.path() / "page";
    std::ofstream(file, std::ios::binary) << hostile_page(seed, ExpositionFormat::text);
    const Ended ended = run({"promtool", "check", "metrics"}, file, directory.path());
    if (ended.code == 127) {
      WARN("skipped: needs promtool (package prometheus)");
      return;
    }
    CAPTURE(seed, ended.output.substr(0, 500));
    // 3: it read the page and dislikes the style of names, which here are nobody's choice.
    REQUIRE((ended.code == 0 || ended.code == 3));
    REQUIRE(ended.output.find("error while linting") == std::string::npos);
  }
}

}  // namespace
}  // namespace ua
