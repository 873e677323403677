// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/agent_metrics.h"

#include <ares.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <mutex>

namespace ua {
namespace {

prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

/// Adds what a total kept elsewhere has grown by.
void follow(prometheus::Counter& counter, std::uint64_t total) {
  const double grown = static_cast<double>(total) - counter.Value();
  if (grown > 0) counter.Increment(grown);
}

}  // namespace

std::string_view name(SkipReason reason) {
  static constexpr std::array<std::string_view, kSkipReasonCount> kNames{"still_running",
                                                                         "max_in_flight", "paused"};
  return kNames[static_cast<std::size_t>(reason)];
}

struct AgentMetrics::Impl {
  explicit Impl(prometheus::Registry& registry);

  prometheus::Histogram& lag;
  prometheus::Gauge& in_flight;
  prometheus::Gauge& reload_successful;
  prometheus::Gauge& reload_success_time;
  prometheus::Gauge& memory_bound;
  prometheus::Counter& log_dropped;
  prometheus::Gauge& series;
  prometheus::Gauge& series_limit;
  prometheus::Counter& series_dropped;
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Counter>& render_errors;
  prometheus::Family<prometheus::Gauge>& certificate_not_after;
  prometheus::Family<prometheus::Gauge>& certificate_loaded;
  std::array<prometheus::Counter*, kSkipReasonCount> skipped{};
  std::array<prometheus::Counter*, kLocalTroubleCount> local_errors{};
  std::mutex totals;  // follow() reads and adds
};

AgentMetrics::Impl::Impl(prometheus::Registry& registry)
    : lag(prometheus::BuildHistogram()
              .Name("upstream_agent_loop_lag_seconds")
              .Help("How late the event loop was when a timer was due.")
              .Register(registry)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                               0.05, 0.1, 0.25, 0.5, 1, 2.5})),
      in_flight(gauge(registry, "upstream_agent_probes_in_flight", "Probes that run now.")),
      reload_successful(gauge(registry, "upstream_agent_config_last_reload_successful",
                              "Whether the last load of the configuration succeeded.")),
      reload_success_time(gauge(registry,
                                "upstream_agent_config_last_reload_success_timestamp_seconds",
                                "When the configuration was last loaded with success.")),
      memory_bound(gauge(registry, "upstream_agent_memory_bound_bytes",
                         "The most memory that this configuration should need.")),
      log_dropped(counter(registry, "upstream_agent_log_dropped_total",
                          "Log lines left out: more than may be written in a second, or nothing "
                          "read them in time.")),
      series(gauge(registry, "upstream_agent_series", "Probe series that may be rendered.")),
      series_limit(gauge(registry, "upstream_agent_series_limit", "Value of limits.max_series.")),
      series_dropped(
          counter(registry, "upstream_agent_series_dropped_total",
                  "Probe series refused: limits.max_series, or a target that is there twice.")),
      requests(prometheus::BuildCounter()
                   .Name("upstream_agent_http_requests_total")
                   .Help("Requests to this agent's endpoints.")
                   .Register(registry)),
      render_errors(prometheus::BuildCounter()
                        .Name("upstream_agent_render_errors_total")
                        .Help("What was left out of the metrics page, by part.")
                        .Register(registry)),
      certificate_not_after(
          prometheus::BuildGauge()
              .Name("upstream_agent_web_tls_certificate_not_after_timestamp_seconds")
              .Help("When the certificate expires that the endpoints serve. Absent without TLS.")
              .Register(registry)),
      certificate_loaded(
          prometheus::BuildGauge()
              .Name("upstream_agent_web_tls_certificate_last_load_successful")
              .Help("0 while the files of the endpoints' certificate cannot be used as they are: "
                    "the one read before serves on. Absent without TLS.")
              .Register(registry)) {
  auto& skipped_family = prometheus::BuildCounter()
                             .Name("upstream_agent_probes_skipped_total")
                             .Help("Due runs that did not happen, by reason.")
                             .Register(registry);
  for (std::size_t i = 0; i < kSkipReasonCount; ++i) {
    skipped[i] = &skipped_family.Add({{"reason", std::string(name(static_cast<SkipReason>(i)))}});
  }
  auto& local_family = prometheus::BuildCounter()
                           .Name("upstream_agent_local_errors_total")
                           .Help("Failures that are this host's own trouble, by reason.")
                           .Register(registry);
  for (std::size_t i = 0; i < kLocalTroubleCount; ++i) {
    local_errors[i] =
        &local_family.Add({{"reason", std::string(name(static_cast<LocalTrouble>(i + 1)))}});
  }
  prometheus::BuildGauge()
      .Name("upstream_agent_build_info")
      .Help("Version of the agent and of the libraries it runs with. Always 1.")
      .Register(registry)
      .Add({{"version", UA_VERSION},
            {"libcurl", curl_version_info(CURLVERSION_NOW)->version},
            {"tls", curl_version_info(CURLVERSION_NOW)->ssl_version},
            {"cares", ares_version(nullptr)},
            {"microhttpd", MHD_get_version()}})
      .Set(1);
}

AgentMetrics::AgentMetrics(prometheus::Registry& registry)
    : impl_(std::make_unique<Impl>(registry)) {}

AgentMetrics::~AgentMetrics() = default;

void AgentMetrics::observe_loop_lag(Duration lag) { impl_->lag.Observe(to_seconds(lag)); }

void AgentMetrics::set_probes_in_flight(std::size_t count) {
  impl_->in_flight.Set(static_cast<double>(count));
}

void AgentMetrics::count_skipped(SkipReason reason, std::uint64_t count) {
  impl_->skipped[static_cast<std::size_t>(reason)]->Increment(static_cast<double>(count));
}

void AgentMetrics::count_local_error(LocalTrouble trouble) {
  if (trouble == LocalTrouble::none) return;
  impl_->local_errors[static_cast<std::size_t>(trouble) - 1]->Increment();
}

void AgentMetrics::set_reload(bool success, WallTime when) {
  impl_->reload_successful.Set(success ? 1 : 0);
  if (success) impl_->reload_success_time.Set(to_seconds(when));
}

void AgentMetrics::count_http_request(std::string_view handler, unsigned code) {
  impl_->requests.Add({{"handler", std::string(handler)}, {"code", std::to_string(code)}})
      .Increment();
}

void AgentMetrics::set_web_certificate(std::optional<std::chrono::sys_seconds> not_after) {
  prometheus::Gauge& expiry = impl_->certificate_not_after.Add({});
  if (not_after) {
    expiry.Set(static_cast<double>(not_after->time_since_epoch().count()));
    impl_->certificate_loaded.Add({}).Set(1);
  } else {
    impl_->certificate_not_after.Remove(&expiry);
    impl_->certificate_loaded.Remove(&impl_->certificate_loaded.Add({}));
  }
}

void AgentMetrics::set_web_certificate_loaded(bool success) {
  impl_->certificate_loaded.Add({}).Set(success ? 1 : 0);
}

void AgentMetrics::set_memory_bound(std::uint64_t bytes) {
  impl_->memory_bound.Set(static_cast<double>(bytes));
}

void AgentMetrics::set_log_dropped(std::uint64_t total) {
  const std::lock_guard lock(impl_->totals);
  follow(impl_->log_dropped, total);
}

void AgentMetrics::set_series(std::uint64_t series, std::uint64_t limit,
                              std::uint64_t dropped_total) {
  const std::lock_guard lock(impl_->totals);
  impl_->series.Set(static_cast<double>(series));
  impl_->series_limit.Set(static_cast<double>(limit));
  follow(impl_->series_dropped, dropped_total);
}

void AgentMetrics::count_render_errors(const std::string& part, std::uint64_t count) {
  impl_->render_errors.Add({{"part", part}}).Increment(static_cast<double>(count));
}

}  // namespace ua
