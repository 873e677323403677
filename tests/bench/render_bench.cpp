// SPDX-License-Identifier: Apache-2.0
// Nanoseconds to render one series, at a million of them: the same bytes copied within memory that
// is in use already (the floor), our page in memory that is new each time, as for a scrape, and
// prometheus-cpp's own serialiser on a tenth of the rows (it needs some 500 bytes a series). Also
// how long a result waits for the store while pages are rendered.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/exposition/gzip.h"
#include "agent/exposition/text_writer.h"
#include "agent/metrics/probe_store.h"

namespace ua::bench {
namespace {

constexpr std::uint64_t kSeries = 1'000'000;
constexpr int kRepeats = 7;
constexpr double kGoal = 60;  // nanoseconds a series
constexpr Time kNow{1000s};

using Clock = std::chrono::steady_clock;

/// Makes the compiler believe that the memory is read.
void keep(const void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

double since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

/// The least of several: what else the machine does only ever adds.
template <typename Work>
double best_of(int repeats, const Work& work) {
  double best = 0;
  for (int i = 0; i < repeats; ++i) {
    const auto begin = Clock::now();
    work();
    const double took = since(begin);
    best = i == 0 ? took : std::min(best, took);
  }
  return best;
}

/// As a probe of a healthy https target leaves it; `i` makes the digits differ.
Outcome healthy(std::uint64_t i) {
  Outcome outcome;
  const auto micros = [&](std::uint64_t base, std::uint64_t step) {
    return std::chrono::microseconds(base + i * step % 977);
  };
  outcome.times.set(TimedPhase::dns, micros(90, 7));
  outcome.times.set(TimedPhase::connect, micros(210, 13));
  outcome.times.set(TimedPhase::tls, micros(1900, 17));
  outcome.times.set(TimedPhase::request, micros(40, 3));
  outcome.times.set(TimedPhase::response_headers, micros(8200, 29));
  outcome.times.set(TimedPhase::response_body, micros(310, 5));
  outcome.times.set(TimedPhase::total, micros(11'000, 71));
  outcome.addresses = 2;
  outcome.http =
      HttpFacts{.status_code = 200, .version = 1.1, .body_bytes = 300 + i % 4000, .redirects = 0};
  outcome.tls = TlsFacts{};
  outcome.tls->version = "TLSv1.3";
  outcome.tls->cipher = "TLS_AES_256_GCM_SHA384";
  outcome.tls->verified = true;
  Certificate& leaf = outcome.tls->certificate.emplace();
  leaf.subject = "CN = checkout.example.org";
  leaf.issuer = "C = XX, O = Example, CN = Example CA";
  leaf.fingerprint_sha256 = std::string(64, 'a');
  leaf.not_after = WallTime{1'800'000'000s};
  return outcome;
}

ProbeStore::Sample sample_of(const Outcome& outcome, std::uint64_t i) {
  const WallTime when{1'764'050'400s + std::chrono::milliseconds(i % 15'000)};
  return {.outcome = outcome,
          .verdict = Verdict::up,
          .when = when,
          .state_change = when - 3h,
          .last_success = when,
          .observe_latency = true,
          .now = kNow};
}

/// Fills a store up to `series`. @return its rows
std::vector<ProbeStore::Row> fill(ProbeStore& store) {
  std::vector<ProbeStore::Row> rows;
  for (std::uint64_t i = 0;; ++i) {
    const auto row = store.add({.upstream = "checkout-" + std::to_string(i % 500),
                                .target = "https://10." + std::to_string(i / 65'536) + '.' +
                                          std::to_string(i / 256 % 256) + '.' +
                                          std::to_string(i % 256) + ":8443/healthz",
                                .address = {},
                                .type = "http",
                                .service = "checkout.service",
                                .labels = {{"team", "payments"}},
                                .interval = 15s});
    if (!row) return rows;
    store.record(*row, sample_of(healthy(i), i));
    rows.push_back(*row);
  }
}

std::uint64_t samples_in(const std::string& page) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < page.size();) {
    if (page[at] != '#') ++count;
    at = page.find('\n', at) + 1;
  }
  return count;
}

std::string render(const ProbeStore& store, std::size_t hint) {
  TextWriter writer(ExpositionFormat::text, hint);
  store.render(writer, kNow);
  return writer.finish();
}

/// How long each record() took, in order, while one page after the other is rendered, or while none
/// is. On a busy machine the last thousandth is a renderer that lost its CPU while it held the
/// lock.
std::vector<double> record_times(ProbeStore& store, const std::vector<ProbeStore::Row>& rows,
                                 std::size_t hint, bool rendering) {
  std::atomic<bool> done{false};
  std::thread renderer([&] {
    for (int i = 0; rendering && i < 10; ++i) render(store, hint);
    done = true;
  });
  const Outcome outcome = healthy(1);
  std::vector<double> took;
  for (std::size_t i = 0; rendering ? !done.load() : i < 3000; ++i) {
    const auto begin = Clock::now();
    store.record(rows[i % rows.size()], sample_of(outcome, i));
    took.push_back(since(begin));
    std::this_thread::sleep_for(100us);  // 10 000 results a second
  }
  renderer.join();
  std::sort(took.begin(), took.end());
  return took;
}

void report(const char* measure, double value, const char* unit) {
  std::printf("%s\t%.2f\t%s\t\t\n", measure, value, unit);
}

int run() {
  ProbeStore store({}, kSeries);
  const auto rows = fill(store);
  const std::size_t expected = store.page_bytes();
  std::string page = render(store, expected);
  const auto series = static_cast<double>(samples_in(page));
  const std::size_t bytes = page.size();

  const auto copy = std::make_unique<char[]>(bytes);
  const double copied = best_of(kRepeats, [&] {
    std::memcpy(copy.get(), page.data(), bytes);
    keep(copy.get());
  });
  const double compressed = best_of(1, [&] { page = gzip(page); });
  const double grown = best_of(kRepeats, [&] { render(store, 0); });
  const double rendered = best_of(kRepeats, [&] { render(store, expected); });

  ProbeStore small({}, kSeries / 10);
  fill(small);
  const prometheus::TextSerializer serializer;
  std::size_t small_bytes = 0;
  std::uint64_t small_series = 0;
  const auto families = small.collect(kNow);
  const double serialised = best_of(3, [&] {
    const std::string text = serializer.Serialize(families);
    small_bytes = text.size();
    small_series = samples_in(text);
  });

  const double ours = rendered / series;
  const double theirs = serialised / static_cast<double>(small_series);
  report("series rendered", series, "");
  report("bytes a series", static_cast<double>(bytes) / series, "B");
  report("bytes a series, as expected", static_cast<double>(expected) / series, "B");
  report("memcpy of the page", copied / series, "ns/series");
  std::printf("render\t%.2f\tns/series\t<= %g\t%s\n", ours, kGoal,
              ours <= kGoal ? "met" : "MISSED");
  report("render, where the size is not known", grown / series, "ns/series");
  report("render / memcpy", rendered / copied, "times");
  report("prometheus-cpp's serialiser alone, a tenth of the rows", theirs, "ns/series");
  report("prometheus-cpp / render", theirs / ours, "times");
  report("gzip, level 1", compressed / series, "ns/series");
  for (const bool rendering : {false, true}) {
    const std::vector<double> took = record_times(store, rows, expected, rendering);
    const std::string name = rendering ? "a result recorded while rendering" : "a result recorded";
    report((name + ", 99 %").c_str(), took[took.size() * 99 / 100] / 1000, "us");
    report((name + ", 99.9 %").c_str(), took[took.size() * 999 / 1000] / 1000, "us");
  }
  return small_bytes > 0 && ours <= kGoal ? 0 : 1;
}

}  // namespace
}  // namespace ua::bench

int main() { return ua::bench::run(); }
