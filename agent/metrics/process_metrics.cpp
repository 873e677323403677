// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/process_metrics.h"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxProcFile = 1 << 20;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  for (const std::string_view word : split(line, ' ')) {
    if (!word.empty()) result.push_back(word);
  }
  return result;
}

/// "Max open files            1024                 524288               files": the soft limit.
std::optional<double> soft_limit(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  const auto fields = words(line.substr(name.size()));
  if (fields.empty()) return std::nullopt;
  if (fields[0] == "unlimited") return std::numeric_limits<double>::infinity();
  const auto value = number(fields[0]);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

std::optional<std::uint64_t> count_entries(const std::filesystem::path& directory) {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  if (error || count == 0) return std::nullopt;
  return count - 1;  // the one that counts
}

prometheus::MetricFamily family(const char* name, const char* help, prometheus::MetricType type,
                                double value) {
  prometheus::MetricFamily result;
  result.name = name;
  result.help = help;
  result.type = type;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  result.metric.push_back(std::move(metric));
  return result;
}

}  // namespace

void parse_process_stat(std::string_view stat, long ticks_per_second, std::uint64_t page_bytes,
                        ProcessFacts& facts) {
  // The command may hold spaces and parentheses: count from the last one.
  const std::size_t close = stat.rfind(')');
  if (close == std::string_view::npos) return;
  const auto fields = words(trim(stat.substr(close + 1)));
  constexpr std::size_t kUser = 11;  // proc(5) fields 14, 15, 20, 23 and 24, from field 3 on
  if (fields.size() < 22) return;
  const auto user = number(fields[kUser]);
  const auto system = number(fields[kUser + 1]);
  if (user && system && ticks_per_second > 0) {
    facts.cpu_seconds =
        static_cast<double>(*user + *system) / static_cast<double>(ticks_per_second);
  }
  facts.threads = number(fields[17]);
  facts.virtual_bytes = number(fields[20]);
  if (const auto pages = number(fields[21])) facts.resident_bytes = *pages * page_bytes;
}

void parse_process_status(std::string_view status, ProcessFacts& facts) {
  for (const std::string_view line : split(status, '\n')) {
    if (!line.starts_with("VmData:")) continue;
    // "VmData:\t    2048 kB"
    if (const auto kib = number(trim(line.substr(7)))) facts.heap_bytes = *kib * 1024;
  }
}

void parse_process_limits(std::string_view limits, ProcessFacts& facts) {
  for (const std::string_view line : split(limits, '\n')) {
    if (const auto fds = soft_limit(line, "Max open files")) facts.max_fds = fds;
    if (const auto bytes = soft_limit(line, "Max address space")) facts.virtual_max_bytes = bytes;
  }
}

void parse_process_net_dev(std::string_view net_dev, ProcessFacts& facts) {
  for (const std::string_view line : split(net_dev, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto fields = words(line.substr(colon + 1));
    if (fields.size() < 9) continue;
    const auto rx = number(fields[0]);
    const auto tx = number(fields[8]);
    if (rx) facts.network_rx_bytes = facts.network_rx_bytes.value_or(0) + *rx;
    if (tx) facts.network_tx_bytes = facts.network_tx_bytes.value_or(0) + *tx;
  }
}

ProcessFacts read_process(const std::filesystem::path& process) {
  ProcessFacts facts;
  const auto read = [&](const char* name) {
    return read_regular_file(process / name, kMaxProcFile).value_or("");
  };
  parse_process_stat(read("stat"), sysconf(_SC_CLK_TCK),
                     static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)), facts);
  parse_process_status(read("status"), facts);
  parse_process_limits(read("limits"), facts);
  parse_process_net_dev(read("net/dev"), facts);
  facts.open_fds = count_entries(process / "fd");
  return facts;
}

ProcessMetrics::ProcessMetrics(WallTime started, std::filesystem::path process)
    : started_(started), process_(std::move(process)) {}

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  const ProcessFacts facts = read_process(process_);
  std::vector<prometheus::MetricFamily> result;
  const auto add = [&](const char* name, const char* help, MetricType type, const auto& value) {
    if (value) result.push_back(family(name, help, type, static_cast<double>(*value)));
  };
  add("process_cpu_seconds_total", "User and system CPU time of this process.", MetricType::Counter,
      facts.cpu_seconds);
  add("process_heap_bytes", "Heap and anonymous maps.", MetricType::Gauge, facts.heap_bytes);
  add("process_max_fds", "Limit of open file descriptors.", MetricType::Gauge, facts.max_fds);
  add("process_network_receive_bytes_total", "Bytes received by the network namespace.",
      MetricType::Counter, facts.network_rx_bytes);
  add("process_network_transmit_bytes_total", "Bytes sent by the network namespace.",
      MetricType::Counter, facts.network_tx_bytes);
  add("process_open_fds", "Open file descriptors.", MetricType::Gauge, facts.open_fds);
  add("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, facts.resident_bytes);
  add("process_start_time_seconds", "When this process started.", MetricType::Gauge,
      std::optional(to_seconds(started_)));
  add("process_threads", "Threads of this process.", MetricType::Gauge, facts.threads);
  add("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, facts.virtual_bytes);
  add("process_virtual_memory_max_bytes", "Limit of virtual memory.", MetricType::Gauge,
      facts.virtual_max_bytes);
  return result;
}

}  // namespace ua
