// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/probe_store.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "agent/exposition/text_writer.h"
#include "agent/metrics/probe_store_collectable.h"
#include "tests/catch.h"

namespace ua {
namespace {

constexpr std::uint64_t kPlenty = 1'000'000;
constexpr WallTime kWall{1'764'050'400s + 123ms};
constexpr Time kStart{100s};

std::string page_of(const ProbeStore& store, Time now = kStart) {
  TextWriter writer(ExpositionFormat::text);
  store.render(writer, now);
  return writer.finish();
}

/// Name and labels of every series, with its value.
std::map<std::string, std::string> series_of(const std::string& page) {
  std::map<std::string, std::string> result;
  std::istringstream lines(page);
  std::size_t samples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    result.emplace(line.substr(0, space), line.substr(space + 1));
    ++samples;
  }
  CHECK(result.size() == samples);  // none is there twice
  return result;
}

/// "" where there is no such series.
std::string value_of(const ProbeStore& store, const std::string& series, Time now = kStart) {
  const auto all = series_of(page_of(store, now));
  const auto at = all.find(series);
  return at == all.end() ? "" : at->second;
}

ProbeStore::RowSpec http_row(std::string target = "http://a:80/") {
  return {.upstream = "shop",
          .target = std::move(target),
          .address = {},
          .type = "http",
          .service = {},
          .labels = {},
          .interval = 15s};
}

Outcome well() {
  Outcome outcome;
  outcome.times.set(TimedPhase::dns, 1ms);
  outcome.times.set(TimedPhase::connect, 2ms);
  outcome.times.set(TimedPhase::request, 100us);
  outcome.times.set(TimedPhase::response_headers, 20ms);
  outcome.times.set(TimedPhase::response_body, 1ms);
  outcome.times.set(TimedPhase::total, 30ms);
  outcome.address = "192.0.2.1:80";
  outcome.addresses = 2;
  outcome.http = HttpFacts{.status_code = 200, .version = 1.1, .body_bytes = 512, .redirects = 0};
  return outcome;
}

TlsFacts tls_facts() {
  Certificate leaf;
  leaf.subject = "CN = shop.example";
  leaf.issuer = "CN = \"Test\" CA";
  leaf.fingerprint_sha256 = std::string(64, 'a');
  leaf.not_after = WallTime{1'800'000'000s};
  TlsFacts facts;
  facts.version = "TLSv1.3";
  facts.cipher = "TLS_AES_256_GCM_SHA384";
  facts.verified = true;
  facts.certificate = leaf;
  return facts;
}

Outcome failed(ErrorClass error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}

ProbeStore::Sample sample(const Outcome& outcome, Time now = kStart,
                          Verdict verdict = Verdict::up) {
  return {.outcome = outcome,
          .verdict = verdict,
          .when = kWall,
          .state_change = kWall,
          .last_success = kWall,
          .observe_latency = true,
          .now = now};
}

TEST_CASE("a target that is well gives this page") {
  ProbeStore store({}, kPlenty);
  auto spec = http_row();
  spec.service = "shop.service";
  spec.labels = {{"team", "pay\"ments"}};
  const auto row = store.add(spec);
  store.record(*row, sample(well()));
  const std::string labels = R"(upstream="shop",target="http://a:80/",team="pay\"ments")";
  std::string golden =
      R"(# HELP upstream_probe_success Whether the last probe succeeded, a slow answer included.
# TYPE upstream_probe_success gauge
upstream_probe_success{L} 1
# HELP upstream_up Whether the target is up after rise and fall; absent until the first verdict.
# TYPE upstream_up gauge
upstream_up{L} 1
# HELP upstream_info What is configured for a target: probe type, service, labels. Always 1.
# TYPE upstream_info gauge
upstream_info{L,type="http",service="shop.service"} 1
# HELP upstream_probe_result_code Code of the last probe's error class; 0: none. The codes are stable.
# TYPE upstream_probe_result_code gauge
upstream_probe_result_code{L} 0
# HELP upstream_probe_attempts_total Probes that ended, whatever their result.
# TYPE upstream_probe_attempts_total counter
upstream_probe_attempts_total{L} 1
# HELP upstream_probe_errors_total Probes that failed or were slow, by the phase and the class of the failure.
# TYPE upstream_probe_errors_total counter
upstream_probe_errors_total{L,phase="connect",error_class="connect_refused"} 0
upstream_probe_errors_total{L,phase="connect",error_class="connect_timeout"} 0
upstream_probe_errors_total{L,phase="response_headers",error_class="response_timeout"} 0
upstream_probe_errors_total{L,phase="response_headers",error_class="closed_before_headers"} 0
upstream_probe_errors_total{L,phase="response_headers",error_class="reset_before_headers"} 0
upstream_probe_errors_total{L,phase="http_status",error_class="http_5xx"} 0
upstream_probe_errors_total{L,phase="http_status",error_class="http_503"} 0
upstream_probe_errors_total{L,phase="http_status",error_class="http_gateway_error"} 0
# HELP upstream_probe_duration_seconds How long the phases of probes took.
# TYPE upstream_probe_duration_seconds histogram
upstream_probe_duration_seconds_bucket{L,phase="total",le="0.005"} 0
upstream_probe_duration_seconds_bucket{L,phase="total",le="0.025"} 0
upstream_probe_duration_seconds_bucket{L,phase="total",le="0.1"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="0.25"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="0.5"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="1.0"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="2.5"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="5.0"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="10.0"} 1
upstream_probe_duration_seconds_bucket{L,phase="total",le="+Inf"} 1
upstream_probe_duration_seconds_sum{L,phase="total"} 0.03
upstream_probe_duration_seconds_count{L,phase="total"} 1
# HELP upstream_probe_last_duration_seconds How long each phase took in the last probe; absent for a phase it did not reach.
# TYPE upstream_probe_last_duration_seconds gauge
upstream_probe_last_duration_seconds{L,phase="dns"} 0.001
upstream_probe_last_duration_seconds{L,phase="connect"} 0.002
upstream_probe_last_duration_seconds{L,phase="request"} 0.0001
upstream_probe_last_duration_seconds{L,phase="response_headers"} 0.02
upstream_probe_last_duration_seconds{L,phase="response_body"} 0.001
upstream_probe_last_duration_seconds{L,phase="total"} 0.03
# HELP upstream_probe_state_change_timestamp_seconds When the result last changed between success and failure.
# TYPE upstream_probe_state_change_timestamp_seconds gauge
upstream_probe_state_change_timestamp_seconds{L} 1764050400.123
# HELP upstream_probe_last_success_timestamp_seconds When a probe last succeeded.
# TYPE upstream_probe_last_success_timestamp_seconds gauge
upstream_probe_last_success_timestamp_seconds{L} 1764050400.123
# HELP upstream_probe_last_run_timestamp_seconds When the last probe ended.
# TYPE upstream_probe_last_run_timestamp_seconds gauge
upstream_probe_last_run_timestamp_seconds{L} 1764050400.123
# HELP upstream_probe_interval_seconds Time between two probes as configured.
# TYPE upstream_probe_interval_seconds gauge
upstream_probe_interval_seconds{L} 15
# HELP upstream_probe_http_status_code Status code of the last response.
# TYPE upstream_probe_http_status_code gauge
upstream_probe_http_status_code{L} 200
# HELP upstream_probe_http_version HTTP version of the last response.
# TYPE upstream_probe_http_version gauge
upstream_probe_http_version{L} 1.1
# HELP upstream_probe_response_bytes Body bytes received of the last response.
# TYPE upstream_probe_response_bytes gauge
upstream_probe_response_bytes{L} 512
# HELP upstream_probe_redirects Redirects that the last probe followed.
# TYPE upstream_probe_redirects gauge
upstream_probe_redirects{L} 0
# HELP upstream_probe_addresses Addresses that the name resolved to.
# TYPE upstream_probe_addresses gauge
upstream_probe_addresses{L} 2
)";
  for (std::size_t at = 0; (at = golden.find("{L", at)) != std::string::npos;) {
    golden.replace(at + 1, 1, labels);
  }
  // 1e-04 is the shortest text of that double.
  golden.replace(golden.find(" 0.0001\n"), 7, " 1e-04");
  CHECK(page_of(store) == golden);
}

TEST_CASE("a default target that is well costs at most 48 series") {
  const auto target = GENERATE(values<std::string>({"http://a:80/", "https://a/"}));
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row(target));
  Outcome outcome = well();
  if (target.starts_with("https")) {
    outcome.times.set(TimedPhase::tls, 3ms);
    outcome.tls = tls_facts();
  }
  store.record(*row, sample(outcome));
  const auto all = series_of(page_of(store));
  CHECK(all.size() <= 48);
  CHECK(all.size() == store.series());
}

TEST_CASE("what has no value is absent") {
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row());
  const std::string l = R"({upstream="shop",target="http://a:80/"})";
  CHECK(value_of(store, "upstream_probe_attempts_total" + l) == "0");
  CHECK(value_of(store, "upstream_probe_interval_seconds" + l) == "15");
  CHECK(value_of(store, "upstream_probe_success" + l).empty());
  CHECK(value_of(store, "upstream_up" + l).empty());

  const Outcome refused = failed(ErrorClass::connect_refused);
  ProbeStore::Sample first = sample(refused, kStart, Verdict::unknown);
  first.last_success = std::nullopt;
  store.record(*row, first);
  CHECK(value_of(store, "upstream_probe_success" + l) == "0");
  CHECK(value_of(store, "upstream_up" + l).empty());
  CHECK(value_of(store, "upstream_probe_result_code" + l) == "7");
  CHECK(value_of(store, "upstream_probe_last_success_timestamp_seconds" + l).empty());
  CHECK(value_of(store, "upstream_probe_http_status_code" + l).empty());

  store.record(*row, sample(well(), kStart, Verdict::down));
  CHECK(value_of(store, "upstream_up" + l) == "0");
}

TEST_CASE("a phase that the last run did not reach has no duration") {
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row());
  const std::string connect =
      R"(upstream_probe_last_duration_seconds{upstream="shop",target="http://a:80/",phase="connect"})";
  const std::string count =
      R"(upstream_probe_duration_seconds_count{upstream="shop",target="http://a:80/",phase="total"})";
  store.record(*row, sample(well()));
  CHECK(value_of(store, connect) == "0.002");
  store.record(*row, sample(failed(ErrorClass::dns_not_found)));
  CHECK(value_of(store, connect).empty());
  CHECK(value_of(store, count) == "1");

  const Outcome good = well();
  ProbeStore::Sample across_a_pause = sample(good);
  across_a_pause.observe_latency = false;
  store.record(*row, across_a_pause);
  CHECK(value_of(store, connect).empty());
  CHECK(value_of(store, count) == "1");
}

TEST_CASE("a slow answer is a success that is counted as slow_response") {
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row());
  Outcome slow = well();
  slow.error = ErrorClass::slow_response;
  store.record(*row, sample(slow));
  const std::string l = R"(upstream="shop",target="http://a:80/")";
  CHECK(value_of(store, "upstream_probe_success{" + l + "}") == "1");
  CHECK(value_of(store, "upstream_probe_result_code{" + l + "}") == "32");
  CHECK(value_of(store,
                 "upstream_probe_errors_total{" + l +
                     ",phase=\"content\",error_class=\"slow_response\"}",
                 kStart + 60s) == "1");
}

std::string errors(const std::string& target, const std::string& phase, const std::string& name) {
  return "upstream_probe_errors_total{upstream=\"shop\",target=\"" + target + "\",phase=\"" +
         phase + "\",error_class=\"" + name + "\"}";
}

TEST_CASE("a common class is born at 0 and shows its first failure at once") {
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row());
  const std::string refused = errors("http://a:80/", "connect", "connect_refused");
  CHECK(value_of(store, refused) == "0");
  store.record(*row, sample(failed(ErrorClass::connect_refused)));
  CHECK(value_of(store, refused) == "1");
}

TEST_CASE("a class born later shows 0 for birth_hold, then its value") {
  MetricsConfig config;
  config.birth_hold = 60s;
  ProbeStore store(config, kPlenty);
  const auto row = store.add(http_row());
  const std::string missing = errors("http://a:80/", "dns", "dns_not_found");
  CHECK(value_of(store, missing).empty());
  store.record(*row, sample(failed(ErrorClass::dns_not_found), kStart));
  CHECK(value_of(store, missing, kStart) == "0");
  store.record(*row, sample(failed(ErrorClass::dns_not_found), kStart + 30s));
  CHECK(value_of(store, missing, kStart + 60s - 1ns) == "0");
  CHECK(value_of(store, missing, kStart + 60s) == "2");
  // The hold is of the counter's birth, not of each failure.
  store.record(*row, sample(failed(ErrorClass::dns_not_found), kStart + 61s));
  CHECK(value_of(store, missing, kStart + 61s) == "3");
}

std::map<std::string, std::string> error_counters(const ProbeStore& store) {
  auto result = series_of(page_of(store));
  std::erase_if(result, [](const auto& item) {
    return !item.first.starts_with("upstream_probe_errors_total{");
  });
  return result;
}

TEST_CASE("each kind has eight classes from the start") {
  struct Row {
    const char* type;
    const char* target;
    const char* present;
  };
  const auto row = GENERATE(values<Row>({{"http", "http://a/", "closed_before_headers"},
                                         {"http", "https://a/", "tls_cert_expired"},
                                         {"http", "http+unix:///s:/", "closed_before_headers"},
                                         {"tcp", "tcp://a:1", "listen_queue_full"}}));
  ProbeStore store({}, kPlenty);
  auto spec = http_row(row.target);
  spec.type = row.type;
  store.add(spec);
  const auto counters = error_counters(store);
  CHECK(counters.size() == 8);
  CHECK(std::all_of(counters.begin(), counters.end(),
                    [](const auto& item) { return item.second == "0"; }));
  CHECK(std::any_of(counters.begin(), counters.end(), [&](const auto& item) {
    return item.first.find(row.present) != std::string::npos;
  }));
}

TEST_CASE("certificate facts stay while runs fail before TLS and leave with it") {
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row("https://a/"));
  const std::string l = R"({upstream="shop",target="https://a/"})";
  const std::string not_after = "upstream_probe_tls_cert_not_after_timestamp_seconds" + l;
  const std::string verified = "upstream_probe_tls_verified" + l;
  const std::string info =
      R"(upstream_probe_tls_info{upstream="shop",target="https://a/",version="TLSv1.3",)"
      R"(cipher="TLS_AES_256_GCM_SHA384",issuer="CN = \"Test\" CA",subject="CN = shop.example",)"
      "fingerprint_sha256=\"" +
      std::string(64, 'a') + "\"}";
  Outcome secure = well();
  secure.tls = tls_facts();
  secure.tls->chain_not_after = WallTime{1'790'000'000s};
  store.record(*row, sample(secure));
  CHECK(value_of(store, not_after) == "1790000000");
  CHECK(value_of(store, verified) == "1");
  CHECK(value_of(store, info) == "1");

  store.record(*row, sample(failed(ErrorClass::connect_refused)));
  CHECK(value_of(store, not_after) == "1790000000");
  CHECK(value_of(store, info) == "1");
  CHECK(value_of(store, verified).empty());

  Outcome untrusted = failed(ErrorClass::tls_cert_untrusted);
  untrusted.tls = TlsFacts{};
  store.record(*row, sample(untrusted));
  CHECK(value_of(store, not_after) == "1790000000");
  CHECK(value_of(store, verified) == "0");

  store.record(*row, sample(well()));  // it got past TLS and had none
  CHECK(value_of(store, not_after).empty());
  CHECK(value_of(store, info).empty());
}

TEST_CASE("a configured label wins over the extra label of the same name") {
  ProbeStore store({}, kPlenty);
  auto spec = http_row("https://a/");
  spec.service = "shop.service";
  spec.labels = {{"le", "x"},  {"service", "mine"}, {"version", "7"},
                 {"a-b", "1"}, {"a.b", "2"},        {"error.class", "x"}};
  const auto row = store.add(spec);
  Outcome secure = well();
  secure.tls = tls_facts();
  store.record(*row, sample(secure));
  const std::string l = R"(upstream="shop",target="https://a/",service="mine",version="7",a_b="1")";
  CHECK(value_of(store, "upstream_info{" + l + R"(,type="http"})") == "1");
  const std::string page = page_of(store);
  CHECK(page.find("upstream_probe_tls_info{" + l + ",cipher=") != std::string::npos);
}

TEST_CASE("the addresses of a run that did not ask stay as they were") {
  ProbeStore store({}, kPlenty);
  const auto row = store.add(http_row());
  const std::string addresses =
      R"(upstream_probe_addresses{upstream="shop",target="http://a:80/"})";
  store.record(*row, sample(well()));
  store.record(*row, sample(failed(ErrorClass::local_resources_exhausted)));
  CHECK(value_of(store, addresses) == "2");
  store.record(*row, sample(failed(ErrorClass::dns_not_found)));
  CHECK(value_of(store, addresses) == "0");
}

TEST_CASE("max_series caps everything that can be rendered and counts what it drops") {
  ProbeStore probe({}, kPlenty);
  probe.add(http_row());
  const std::uint64_t each = probe.series();

  ProbeStore store({}, 2 * each + 1);
  const auto a = store.add(http_row("http://a/"));
  const auto b = store.add(http_row("http://b/"));
  REQUIRE(a);
  REQUIRE(b);
  CHECK_FALSE(store.add(http_row("http://c/")));
  CHECK(store.series() == 2 * each);
  CHECK(store.series_limit() == 2 * each + 1);
  CHECK(store.series_dropped() == each);

  // One more class fits, the next does not; TLS after a redirect does not either.
  store.record(*a, sample(failed(ErrorClass::dns_not_found)));
  store.record(*a, sample(failed(ErrorClass::dns_timeout)));
  CHECK(store.series_dropped() == each + 1);
  Outcome redirected = well();
  redirected.times.set(TimedPhase::tls, 1ms);
  redirected.tls = tls_facts();
  store.record(*a, sample(redirected));
  store.record(*b, sample(redirected));
  const auto all = series_of(page_of(store));
  CHECK(all.size() <= store.series_limit());
  CHECK(store.series() == store.series_limit());
  CHECK(value_of(store, errors("http://a/", "dns", "dns_not_found"), kStart + 60s) == "1");
  CHECK(value_of(store, errors("http://a/", "dns", "dns_timeout"), kStart + 60s).empty());

  store.remove(*a);
  CHECK(store.series() == each);
  CHECK(store.add(http_row("http://c/")));
}

TEST_CASE("a removed row leaves nothing behind for the row that takes its slot") {
  ProbeStore store({}, kPlenty);
  const auto a = store.add(http_row("https://a/"));
  Outcome secure = well();
  secure.tls = tls_facts();
  store.record(*a, sample(failed(ErrorClass::dns_not_found)));
  store.record(*a, sample(secure));
  store.remove(*a);
  CHECK(page_of(store).empty());
  CHECK(store.series() == 0);

  const auto again = store.add(http_row("https://a/"));
  REQUIRE(again);
  ProbeStore fresh({}, kPlenty);
  fresh.add(http_row("https://a/"));
  CHECK(page_of(store) == page_of(fresh));
}

TEST_CASE("a row with the labels of another is refused and counted") {
  ProbeStore store({}, kPlenty);
  REQUIRE(store.add(http_row()));
  CHECK_FALSE(store.add(http_row()));
  CHECK(store.series_dropped() == store.series());
  series_of(page_of(store));  // checks that none is there twice
  auto with_address = http_row();
  with_address.address = "192.0.2.1:80";
  CHECK(store.add(with_address));
}

/// Names with values. The model sorts labels, a page does not, so whole lines differ.
std::multiset<std::string> by_value(const std::string& page) {
  std::multiset<std::string> result;
  for (const auto& [series, value] : series_of(page)) {
    result.insert(series.substr(0, series.find('{')) + ' ' + value);
  }
  return result;
}

/// Of a page without what stands on it once, however many targets there are.
std::uint64_t bytes_of_series(const std::string& page) {
  std::istringstream lines(page);
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) bytes += line.size() + 1;
  }
  return bytes;
}

TEST_CASE("no page takes more than was expected of it") {
  const auto fits = [](const MetricsConfig& config, ProbeStore::RowSpec spec, bool tls) {
    ProbeStore store(config, kPlenty);
    const auto row = store.add(spec);
    Outcome outcome = well();
    outcome.times.set(TimedPhase::total, 1234567ns);
    if (tls) {
      outcome.times.set(TimedPhase::tls, 1234567ns);
      outcome.tls = tls_facts();
    }
    for (const ErrorClassInfo& error : catalogue()) {
      const Outcome failure = failed(*error_class_from_name(error.name));
      store.record(*row, sample(failure));
    }
    store.record(*row, sample(outcome));
    CHECK(bytes_of_series(page_of(store, kStart + 1h)) <= store.page_bytes());
    store.remove(*row);
    CHECK(store.page_bytes() == 0);
  };
  MetricsConfig much;
  much.histogram_phases = {TimedPhase::dns, TimedPhase::connect, TimedPhase::response_headers};
  much.buckets.clear();
  for (int i = 1; i < 100; ++i) much.buckets.push_back(i / 997.0);
  for (const MetricsConfig& config : {MetricsConfig{}, much}) {
    fits(config, http_row(), false);
    fits(config, http_row("https://a/"), true);
    ProbeStore::RowSpec tcp = http_row("tcp://a:1");
    tcp.type = "tcp";
    fits(config, tcp, false);
    ProbeStore::RowSpec labelled = http_row();
    labelled.labels = {{"team", std::string(300, '"')}};
    fits(config, labelled, false);
  }
}

TEST_CASE("the store in prometheus-cpp's model says the same as its page") {
  MetricsConfig config;
  config.histogram_phases = {TimedPhase::connect, TimedPhase::total};
  ProbeStore store(config, kPlenty);
  for (const char* target : {"http://b/", "https://a/", "http://a/"}) {
    auto spec = http_row(target);
    spec.labels = {{"odd", "back\\slash \"quote\"\nline"}};
    const auto row = store.add(spec);
    Outcome outcome = well();
    if (spec.target.starts_with("https")) outcome.tls = tls_facts();
    store.record(*row, sample(outcome));
  }
  const ProbeStoreCollectable collectable(store, [] { return kStart; });
  const auto families = collectable.Collect();
  TextWriter writer(ExpositionFormat::text);
  writer.families(families);
  CHECK(writer.refused() == 0);
  CHECK(by_value(writer.finish()) == by_value(page_of(store)));
  const auto& label = families.front().metric.front().label;
  CHECK(std::any_of(label.begin(), label.end(),
                    [](const auto& pair) { return pair.value == "back\\slash \"quote\"\nline"; }));
}

TEST_CASE("pages stay whole while rows come, change and go") {
  constexpr int kStable = 1500;  // several slices
  constexpr int kRenders = 20;
  ProbeStore store({}, kPlenty);
  const auto add = [&](const std::string& name) {
    return *store.add(http_row("http://" + name + "/"));
  };
  auto first = add("first");
  std::vector<ProbeStore::Row> stable;
  stable.reserve(kStable);
  for (int i = 0; i < kStable; ++i) stable.push_back(add("stable" + std::to_string(i)));
  auto second = add("second");
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    const Outcome good = well();
    const Outcome bad = failed(ErrorClass::dns_timeout);
    for (unsigned i = 0; !stop; ++i) {
      store.record(stable[i % stable.size()], sample(i % 2 == 0 ? good : bad));
      // The two swap the first and the last slot, so a render that has passed one of them meets it
      // again further on.
      store.remove(first);
      store.remove(second);
      first = add("first");
      second = add("second");
    }
  });
  for (int i = 0; i < kRenders; ++i) {
    const auto all = series_of(page_of(store));
    const auto attempts = std::count_if(all.begin(), all.end(), [](const auto& item) {
      return item.first.starts_with(
          R"(upstream_probe_attempts_total{upstream="shop",target="http://stable)");
    });
    CHECK(attempts == kStable);
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace ua
