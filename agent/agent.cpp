// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "agent/config/discovered.h"
#include "agent/config/memory_bound.h"
#include "agent/config/shard.h"
#include "agent/exposition/gzip.h"
#include "agent/exposition/negotiate.h"
#include "agent/exposition/text_writer.h"
#include "agent/host_sampling.h"
#include "agent/logging.h"
#include "agent/metrics/host_metrics.h"
#include "agent/metrics/page.h"
#include "agent/metrics/process_metrics.h"
#include "agent/scheduler/scheduler.h"
#include "agent/sd_notify.h"
#include "agent/web/status_page.h"
#include "agent/web/web_server.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/host/routes.h"
#include "collectors/host/samplers.h"

namespace ua {
namespace {

constexpr rlim_t kReservedDescriptors = 128;  // for scrapes, logs, reloads, the resolver
constexpr int kConfigurationError = 78;       // EX_CONFIG

/// Raises the soft limit to the hard one.
/// @return how many descriptors probes may use
unsigned descriptors_for_probes() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 512;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t usable = limit.rlim_cur > 2 * kReservedDescriptors
                            ? limit.rlim_cur - kReservedDescriptors
                            : limit.rlim_cur / 2;
  return static_cast<unsigned>(std::min<rlim_t>(usable, 1'000'000));
}

std::string joined(const Diagnostics& diagnostics) {
  std::string result;
  for (const Diagnostic& diagnostic : diagnostics) {
    result += (result.empty() ? "" : "\n") + diagnostic.text();
  }
  return result;
}

/// The signals that the loop handles, blocked from here on.
UniqueFd take_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/// The parts in the order in which they are made; they end in the reverse order.
class Agent {
 public:
  /// @param signals from take_signals()
  Agent(RunArguments arguments, Config config, UniqueFd signals);

  Result<void> start();
  void run() { loop_.run(); }

 private:
  void on_signal();
  Result<void> reload();
  void apply_upstreams();
  unsigned max_in_flight() const {
    return std::min(config_.limits.max_in_flight, probe_descriptors_);
  }
  WebHandlers handlers();
  WebReply metrics_reply(std::string_view accept, std::string_view accept_encoding);
  WebReply page_reply();
  HostGlance glance() const;
  void watch_over();

  RunArguments arguments_;
  Config config_;
  unsigned probe_descriptors_;
  UniqueFd signals_;
  EpollLoop loop_;
  ProbeEngine engine_;
  prometheus::Registry registry_;
  AgentMetrics metrics_;
  ProbeStore store_;
  StatusBoard board_;
  MetricsPage page_;
  ProcessMetrics process_;
  HostMetrics host_metrics_;
  std::unique_ptr<HostSampling> host_;
  std::unique_ptr<Scheduler> scheduler_;
  std::mutex described_mutex_;
  std::string described_;           // configuration in use, for the page
  std::vector<std::string> notes_;  // of discovery
  std::atomic<bool> ready_{false};
  Watch signal_watch_;
  Timer watchdog_;
  std::unique_ptr<WebServer> web_;
};

Agent::Agent(RunArguments arguments, Config config, UniqueFd signals)
    : arguments_(std::move(arguments)),
      config_(std::move(config)),
      probe_descriptors_(descriptors_for_probes()),
      signals_(std::move(signals)),
      engine_(loop_),
      metrics_(registry_),
      store_(config_.metrics, config_.limits.max_series),
      page_(store_, metrics_, registry_, [this] { return loop_.now(); }),
      process_(loop_.wall_now()),
      host_metrics_([this] { return host_ ? host_->latest() : nullptr; }) {
  page_.add_part("host", host_metrics_);
  page_.add_part("process", process_);
  loop_.set_lag_observer([this](Duration lag) { metrics_.observe_loop_lag(lag); });
}

Result<void> Agent::start() {
  signal_watch_ = loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  host_ = std::make_unique<HostSampling>(
      loop_, config_.host.interval,
      make_host_samplers(config_.host.samplers, config_.host.watch_ports),
      [](const SamplerRun& run) {
        log_warning("a host sampler fails; the others go on",
                    {{"sampler", run.name}, {"error", run.error}});
      });
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Surroundings{engine_, store_, board_, metrics_,
                              [] { return read_has_default_route(); },
                              [](const TargetStatus& status, Verdict before) {
                                log_info("upstream is " + std::string(name(status.verdict)),
                                         {{"upstream", status.upstream},
                                          {"target", status.target},
                                          {"was", std::string(name(before))},
                                          {"error_class", std::string(name(status.last->error))},
                                          {"detail", status.last->detail},
                                          {"address", status.last->address}});
                              }},
      max_in_flight());
  auto web = WebServer::start(config_.web, config_.limits.max_connections, handlers(),
                              [this] { return loop_.now(); });
  if (!web) return tl::unexpected(web.error());
  web_ = std::move(*web);
  apply_upstreams();
  metrics_.set_reload(true, loop_.wall_now());
  for (const std::string& address : web_->addresses()) {
    log_info("listening", {{"address", address}, {"version", UA_VERSION}});
  }
  ready_ = true;
  notify_systemd("READY=1");
  watch_over();
  return {};
}

void Agent::watch_over() {
  metrics_.set_log_dropped(log_dropped());
  const auto wanted = watchdog_interval();
  if (wanted) notify_systemd("WATCHDOG=1");
  watchdog_ =
      loop_.after(std::min<Duration>(wanted.value_or(10s) / 3, 5s), [this] { watch_over(); });
}

void Agent::apply_upstreams() {
  std::vector<UpstreamConfig> upstreams = take_shard(config_.shard, config_.upstreams);
  std::vector<std::string> notes;
  if (config_.discovery.nginx) {
    Discovered found = discover_nginx(config_.discovery.nginx_root);
    for (UpstreamConfig& upstream : found.upstreams) upstreams.push_back(std::move(upstream));
    notes = std::move(found.notes);
    for (const std::string& note : notes) log_debug("discovery", {{"note", note}});
  }
  log_info("configuration is in use", {{"file", config_.file ? config_.file->string() : "none"},
                                       {"upstreams", std::to_string(upstreams.size())}});
  {
    const std::lock_guard lock(described_mutex_);
    described_ = config_.file ? "configuration " + config_.file->string()
                              : "no configuration file: watching what nginx's configuration names";
    notes_ = std::move(notes);
  }
  Config whole = config_;
  whole.upstreams = upstreams;
  metrics_.set_memory_bound(memory_bound_bytes(whole));
  scheduler_->apply(upstreams, max_in_flight());
}

void Agent::on_signal() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      const Result<void> reloaded = reload();
      if (!reloaded) {
        log_error("the configuration was not changed", {{"error", reloaded.error().message}});
      }
      continue;
    }
    log_info("stopping", {{"signal", std::to_string(info.ssi_signo)}});
    notify_systemd("STOPPING=1");
    loop_.stop();
  }
}

Result<void> Agent::reload() {
  notify_systemd("RELOADING=1\nMONOTONIC_USEC=" +
                 std::to_string(loop_.now().time_since_epoch() / 1us));
  auto loaded = configuration_of(arguments_);
  notify_systemd("READY=1");
  metrics_.set_reload(loaded.has_value(), loop_.wall_now());
  if (!loaded) return fail(joined(loaded.error()));
  if (loaded->web.listen_addresses != config_.web.listen_addresses) {
    log_warning("a changed web.listen_address needs a restart", {});
  }
  config_ = std::move(*loaded);
  apply_upstreams();
  return {};
}

WebHandlers Agent::handlers() {
  WebHandlers result;
  result.metrics = [this](std::string_view accept, std::string_view encoding) {
    return metrics_reply(accept, encoding);
  };
  result.status_page = [this] { return page_reply(); };
  result.ready = [this] { return ready_.load(); };
  result.reload = [this](WebHandlers::ReloadDone done) {
    loop_.post([this, done = std::move(done)] { done(reload()); });
  };
  result.count = [this](std::string_view handler, unsigned code) {
    metrics_.count_http_request(handler, code);
  };
  return result;
}

WebReply Agent::metrics_reply(std::string_view accept, std::string_view accept_encoding) {
  const ExpositionFormat format = negotiate_format(accept);
  WebReply reply;
  reply.body = page_.render(format);
  reply.content_type = std::string(content_type(format));
  reply.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  if (negotiate_gzip(accept_encoding)) {
    reply.body = gzip(reply.body);
    reply.headers.emplace_back("Content-Encoding", "gzip");
  }
  return reply;
}

HostGlance Agent::glance() const {
  HostGlance result;
  const auto snapshot = host_ ? host_->latest() : nullptr;
  if (!snapshot) return result;
  if (snapshot->cpu) result.cpus = snapshot->cpu->cpus;
  if (snapshot->load) result.load1 = snapshot->load->one;
  if (snapshot->memory && snapshot->memory->total && snapshot->memory->available) {
    const auto total = static_cast<double>(*snapshot->memory->total);
    result.memory_used_ratio = 1 - static_cast<double>(*snapshot->memory->available) / total;
  }
  if (snapshot->connections) {
    const StateCounts& states = snapshot->connections->by_state;
    result.established = states[static_cast<std::size_t>(TcpState::established)];
    result.listening = states[static_cast<std::size_t>(TcpState::listen)];
  }
  return result;
}

WebReply Agent::page_reply() {
  StatusPageData data;
  data.targets = board_.snapshot();
  data.host = glance();
  data.now = loop_.wall_now();
  {
    const std::lock_guard lock(described_mutex_);
    data.configuration = described_;
    data.notes = notes_;
  }
  WebReply reply;
  reply.body = render_status_page(data);
  reply.content_type = "text/html; charset=utf-8";
  reply.headers.emplace_back("Content-Security-Policy",
                             "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors "
                             "'none'; base-uri 'none'; form-action 'none'");
  reply.headers.emplace_back("Referrer-Policy", "no-referrer");
  return reply;
}

}  // namespace

tl::expected<Config, Diagnostics> configuration_of(const RunArguments& arguments) {
  tl::expected<Config, Diagnostics> config;
  std::error_code ignored;
  if (arguments.config_file) {
    config = load_config(*arguments.config_file);
  } else if (std::filesystem::exists(kDefaultConfigFile, ignored)) {
    config = load_config(kDefaultConfigFile);
  } else {
    config = default_config();
  }
  if (!config) return config;
  if (!arguments.listen_addresses.empty())
    config->web.listen_addresses = arguments.listen_addresses;
  if (arguments.log_level) config->logging.level = *arguments.log_level;
  if (arguments.log_format) config->logging.format = *arguments.log_format;
  return config;
}

int run_agent(const RunArguments& arguments) {
  // Before all else: a signal that came earlier would end the process unheard, and threads inherit
  // what is blocked.
  UniqueFd signals = take_signals();
  auto config = configuration_of(arguments);
  if (!config) {
    std::fprintf(stderr, "%s\n", joined(config.error()).c_str());
    return kConfigurationError;
  }
  const Result<void> logging = start_logging(config->logging.level, config->logging.format);
  if (!logging) {
    std::fprintf(stderr, "upstream-agent: %s\n", logging.error().message.c_str());
    return 2;
  }
  int status = 0;
  {
    Agent agent(arguments, std::move(*config), std::move(signals));
    const Result<void> started = agent.start();
    if (started) {
      agent.run();
    } else {
      std::fprintf(stderr, "upstream-agent: %s\n", started.error().message.c_str());
      status = 1;
    }
  }
  stop_logging();
  return status;
}

}  // namespace ua
