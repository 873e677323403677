// SPDX-License-Identifier: Apache-2.0
// Configuration files. A form feed stands between two of them.
#include "agent/config/config.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "agent/config/listen_address.h"
#include "agent/config/shard.h"
#include "agent/exposition/text_writer.h"
#include "agent/memory_bound.h"
#include "agent/metrics/probe_store.h"
#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/page_reader.h"
#include "tests/fuzz/rules.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

using Texts = std::vector<ConfigText>;

Texts texts_of(std::string_view bytes) {
  Texts result;
  for (const std::string_view content : split(bytes, '\f')) {
    result.push_back({std::to_string(result.size()) + ".toml", std::string(content)});
    if (result.size() == 4) break;
  }
  return result;
}

void check_mistakes(const Diagnostics& mistakes, const Texts& texts) {
  expect(!mistakes.empty(), "a refusal says why");
  for (const Diagnostic& one : mistakes) {
    const auto text = std::find_if(texts.begin(), texts.end(),
                                   [&](const ConfigText& file) { return file.file == one.file; });
    expect(text != texts.end(), "a mistake names its file");
    const auto lines = std::count(text->content.begin(), text->content.end(), '\n') + 1;
    expect(one.line >= 1 && one.line <= static_cast<unsigned>(lines), "a mistake names its line");
    expect(one.column >= 1 && one.column <= text->content.size() + 1, "a mistake names its column");
    expect(is_printable_line(one.text()), "a mistake is told in a printable line");
    expect(one.message.size() < 2000, "a mistake is told in short");
  }
}

void check_times(const UpstreamConfig& upstream) {
  expect(upstream.interval >= 100ms && upstream.interval <= 24h,
         "an interval is within its bounds");
  expect(upstream.run.timeout > Duration::zero() && upstream.run.timeout <= upstream.interval,
         "a time-out ends before the next probe");
  expect(upstream.rise >= 1 && upstream.fall >= 1, "rise and fall count something");
  expect(!upstream.run.slow_threshold || *upstream.run.slow_threshold > Duration::zero(),
         "a threshold is a time");
}

void check_settings(const Config& config) {
  expect(!config.web.listen_addresses.empty(), "there is an address to listen on");
  const auto& addresses = config.web.listen_addresses;
  for (auto one = addresses.begin(); one != addresses.end(); ++one) {
    const auto again = parse_listen_address(one->text);
    expect(again && *again == *one, "an address is what its text says");
    expect(std::none_of(addresses.begin(), one,
                        [one](const ListenAddress& other) { return other.same_place(*one); }),
           "no two sockets are to have one address");
  }
  expect(config.shard.index < config.shard.count, "a shard is one of them");
  const auto& buckets = config.metrics.buckets;
  expect(!buckets.empty() && buckets[0] > 0, "buckets are above 0");
  expect(std::is_sorted(buckets.begin(), buckets.end()), "buckets rise");
  expect(std::isfinite(buckets.back()), "the last bucket is left to us");
  expect(memory_bound_bytes(config) >= 32ULL << 20U, "the memory bound covers the program itself");
}

/// Every target belongs to exactly one of three shards.
void check_shards(const Config& config) {
  std::multiset<std::string> whole;
  std::multiset<std::string> parts;
  const auto note = [](std::multiset<std::string>& into, const std::vector<UpstreamConfig>& list) {
    for (const UpstreamConfig& upstream : list) {
      for (const TargetConfig& one : upstream.targets) {
        into.insert(upstream.name + '\n' + one.target.label);
      }
    }
  };
  note(whole, config.upstreams);
  for (unsigned i = 0; i < 3; ++i) note(parts, take_shard({i, 3}, config.upstreams));
  expect(whole == parts, "shards divide the targets");
}

/// The metrics page of this configuration is valid, and shows each target.
void check_page(const Config& config) {
  ProbeStore store(config.metrics, 1'000'000);
  std::size_t rows = 0;
  for (const UpstreamConfig& upstream : config.upstreams) {
    for (const TargetConfig& one : upstream.targets) {
      const auto row = store.add({.upstream = upstream.name,
                                  .target = one.target.label,
                                  .address = "",
                                  .type = one.type,
                                  .service = upstream.service,
                                  .labels = upstream.labels,
                                  .interval = upstream.interval});
      expect(row.has_value(), "a target has a row of its own");
      ++rows;
    }
  }
  for (const auto format : {ExpositionFormat::text, ExpositionFormat::openmetrics}) {
    TextWriter writer(format);
    store.render(writer, Time{});
    const std::string page = writer.finish();
    expect(bytes_of_series(page) <= store.page_bytes(), "series take what was told, at most");
    const auto families = read_page(page, format);
    const auto info = std::find_if(families.begin(), families.end(), [](const PageFamily& family) {
      return family.name == "upstream_info";
    });
    const std::size_t shown = info == families.end() ? 0 : info->samples.size();
    expect(shown == rows, "every target is on the page");
  }
}

std::string summary(const Config& config) {
  std::string result = std::to_string(config.limits.max_series) + config.logging.level;
  for (const UpstreamConfig& upstream : config.upstreams) {
    result += '\n' + upstream.name + ' ' + format_duration(upstream.interval) + ' ' +
              format_duration(upstream.run.timeout) + ' ' + upstream.service;
    for (const auto& [name, value] : upstream.labels) result.append(name).append(value);
    for (const TargetConfig& one : upstream.targets) result += ' ' + one.target.label;
  }
  return result;
}

/// Remarks mean nothing.
void check_remark(const Config& config, Texts texts) {
  for (ConfigText& text : texts) text.content += "\n# [[upstream]]\n\n";
  const auto again = read_config(texts);
  expect(again.has_value(), "a remark does no harm");
  expect_same(summary(*again), summary(config), "a remark changes nothing");
}

}  // namespace

void config(std::string_view bytes) {
  const Texts texts = texts_of(bytes);
  const auto read = read_config(texts);
  if (!read) return check_mistakes(read.error(), texts);
  std::set<std::string> names;
  for (const UpstreamConfig& upstream : read->upstreams) {
    check_upstream(upstream, 128);
    check_times(upstream);
    expect(names.insert(upstream.name).second, "an upstream has a name of its own");
  }
  check_settings(*read);
  check_shards(*read);
  check_page(*read);
  check_remark(*read, texts);
}

}  // namespace ua::fuzz
