// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "agent/agent_log.h"
#include "agent/config/document.h"
#include "agent/exposition/text_writer.h"
#include "agent/host_sampling.h"
#include "agent/logging.h"
#include "agent/metrics/host_metrics.h"
#include "agent/metrics/page.h"
#include "agent/metrics/process_metrics.h"
#include "agent/reload.h"
#include "agent/scheduler/scheduler.h"
#include "agent/sd_notify.h"
#include "agent/second_looks.h"
#include "agent/signals.h"
#include "agent/web/random_token.h"
#include "agent/web/status_page.h"
#include "agent/web/upstreams_json.h"
#include "agent/web_endpoint.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/host/routes.h"
#include "collectors/host/samplers.h"
#include "collectors/probes/probe_engine.h"

namespace ua {
namespace {

constexpr rlim_t kReservedDescriptors = 64;  // for logs, reloads, the resolver, samplers
constexpr Duration kSamplePatience =
    2s;  // a sampler that hangs must not keep the agent from probing
constexpr int kConfigurationError = 78;  // EX_CONFIG

/// Raises the soft limit to the hard one.
/// @param web_connections of limits.max_connections; as many again may be on their way out
/// @return how many descriptors probes may use
unsigned descriptors_for_probes(unsigned web_connections) {
  const rlim_t reserved = kReservedDescriptors + 2 * rlim_t{web_connections};
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 512;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t usable =
      limit.rlim_cur > 2 * reserved ? limit.rlim_cur - reserved : limit.rlim_cur / 2;
  return static_cast<unsigned>(std::min<rlim_t>(usable, 1'000'000));
}

/// Empty where the kernel does not tell. Not looked up: it is for people.
std::string own_host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// The parts in the order in which they are made; they end in the reverse order.
class Agent {
 public:
  /// @param signals from take_signals()
  Agent(const RunArguments& arguments, Config config, UniqueFd signals);

  /// @param first the rest of what the constructor's configuration came with
  Result<void> start(const Loaded& first);
  void run() { loop_.run(); }

 private:
  void on_signal();
  Reloader::Load begin_reload(const RunArguments& arguments);
  Result<std::string> finish_reload(LoadResult loaded);
  void put_into_use(const Loaded& loaded);
  unsigned max_in_flight() const {
    return std::min(config_.limits.max_in_flight, probe_descriptors_);
  }
  WebHandlers handlers();
  WebReply metrics_reply(ExpositionFormat format);
  StatusData status_data();
  WebReply page_reply();
  WebReply config_reply();
  WebReply upstreams_reply(const std::optional<std::string>& name);
  void be_ready();
  void watch_over();

  Config config_;  // without upstreams
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
  SecondLooks second_looks_;
  std::unique_ptr<Scheduler> scheduler_;
  std::mutex described_mutex_;
  std::string described_;           // configuration in use, for the page
  std::vector<std::string> notes_;  // of discovery
  ConfigDocumentPtr document_;
  std::atomic<bool> ready_{false};
  Watch signal_watch_;
  Timer patience_;
  Timer watchdog_;
  bool web_hung_ = false;
  Reloader reloader_;
  WebEndpoint endpoint_;
};

Agent::Agent(const RunArguments& arguments, Config config, UniqueFd signals)
    : config_(std::move(config)),
      probe_descriptors_(descriptors_for_probes(config_.limits.max_connections)),
      signals_(std::move(signals)),
      engine_(loop_),
      metrics_(registry_),
      store_(config_.metrics, config_.limits.max_series),
      page_(store_, metrics_, registry_, [this] { return loop_.now(); }),
      process_(loop_.wall_now()),
      host_metrics_([this] { return host_ ? host_->latest() : nullptr; }),
      second_looks_(loop_,
                    [](const TargetStatus& status, Finding finding) {
                      log_info("a second look: " + std::string(sentence(finding)),
                               {{"upstream", status.upstream}, {"target", status.target}});
                    }),
      reloader_(loop_, {[this, arguments] { return begin_reload(arguments); },
                        [] { log_warning("the configuration is still being read"); },
                        [this](LoadResult loaded) { return finish_reload(std::move(loaded)); }}),
      endpoint_(loop_, metrics_) {
  page_.add_part("host", host_metrics_);
  page_.add_part("process", process_);
  loop_.set_lag_observer([this](Duration lag) { metrics_.observe_loop_lag(lag); });
}

Result<void> Agent::start(const Loaded& first) {
  signal_watch_ = loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  host_ = std::make_unique<HostSampling>(
      loop_, config_.host.interval,
      make_host_samplers(config_.host.samplers,
                         {config_.host.watch_ports, config_.discovery.listeners}),
      HostSampling::Callbacks{log_sampler, [this] { be_ready(); }});
  scheduler_ =
      std::make_unique<Scheduler>(Surroundings{loop_, start_probe_runs(engine_), store_, board_,
                                               metrics_, [this] { return engine_.resolver.dead(); },
                                               [] { return read_has_default_route(); },
                                               [this](const TargetStatus& status, Verdict before) {
                                                 second_looks_.on_verdict(status);
                                                 log_verdict(status, before);
                                               }},
                                  max_in_flight());
  Result<void> serving = endpoint_.start(config_.web,
                                         {.all = config_.limits.max_connections,
                                          .per_peer = config_.limits.max_connections_per_address},
                                         handlers());
  if (!serving) return serving;
  put_into_use(first);
  metrics_.set_reload(true, loop_.wall_now());
  for (const std::string& address : endpoint_.server().addresses()) {
    log_event("listening", {{"address", address}, {"version", UA_VERSION}});
  }
  patience_ = loop_.after(kSamplePatience, [this] { be_ready(); });
  watch_over();
  return {};
}

/// Once there is something to show of the host, or that has taken too long.
void Agent::be_ready() {
  patience_.cancel();
  if (ready_.exchange(true)) return;
  notify_systemd("READY=1");
}

/// That this runs shows that the loop does; the server's threads are asked.
void Agent::watch_over() {
  metrics_.set_log_dropped(log_dropped());
  const auto wanted = watchdog_interval();
  const bool hangs = endpoint_.server().hangs();
  if (hangs && !web_hung_) log_error("a page is not getting done");
  web_hung_ = hangs;
  if (wanted && !hangs) notify_systemd("WATCHDOG=1");
  watchdog_ =
      loop_.after(std::min<Duration>(wanted.value_or(10s) / 3, 5s), [this] { watch_over(); });
}

void Agent::put_into_use(const Loaded& loaded) {
  for (const std::string& note : loaded.notes) log_debug("discovery", {{"note", note}});
  log_event("configuration is in use", {{"file", config_.file ? config_.file->string() : "none"},
                                        {"upstreams", std::to_string(loaded.upstreams.size())}});
  {
    const std::lock_guard lock(described_mutex_);
    described_ = config_.file ? "configuration " + config_.file->string()
                              : "no configuration file: watching what nginx's configuration names";
    notes_ = loaded.notes;
    document_ = config_.document;
  }
  endpoint_.use(config_.web);
  metrics_.set_memory_bound(loaded.memory_bound);
  const std::uint64_t before = store_.series_dropped();
  scheduler_->apply(loaded.upstreams, max_in_flight());
  if (store_.series_dropped() != before) {
    log_warning("limits.max_series is reached: some targets have no series",
                {{"limit", std::to_string(store_.series_limit())},
                 {"missing", std::to_string(store_.series_dropped() - before)}});
  }
}

void Agent::on_signal() {
  while (const auto signal = next_signal(signals_.get())) {
    if (*signal == SIGHUP) {
      reloader_.request({});
      continue;
    }
    log_event("stopping", {{"signal", std::to_string(*signal)}});
    notify_systemd("STOPPING=1");
    loop_.stop();
  }
}

Reloader::Load Agent::begin_reload(const RunArguments& arguments) {
  notify_systemd("RELOADING=1\nMONOTONIC_USEC=" +
                 std::to_string(loop_.now().time_since_epoch() / 1us));
  return [arguments, in_use = config_] { return load(arguments, &in_use); };
}

Result<std::string> Agent::finish_reload(LoadResult loaded) {
  notify_systemd("READY=1");
  metrics_.set_reload(loaded.has_value(), loop_.wall_now());
  if (!loaded) {
    log_mistakes(loaded.error());
    return fail(joined(loaded.error()));
  }
  config_ = std::move(loaded->config);
  set_log_level(config_.logging.level);
  put_into_use(*loaded);
  if (loaded->waiting.empty()) return "";
  const std::string keys = joined(loaded->waiting, ", ");
  log_warning("some changes wait for a restart", {{"keys", keys}});
  return "These changes wait for a restart: " + keys + ".\n";
}

WebHandlers Agent::handlers() {
  WebHandlers result;
  result.metrics = [this](ExpositionFormat format) { return metrics_reply(format); };
  result.status_page = [this] { return page_reply(); };
  result.config = [this] { return config_reply(); };
  result.upstreams = [this](const std::optional<std::string>& name) {
    return upstreams_reply(name);
  };
  result.ready = [this] { return ready_.load(); };
  result.reload = [this](WebHandlers::ReloadDone done) {
    loop_.post([this, done = std::move(done)] { reloader_.request(done); });
  };
  result.count = [this](std::string_view handler, unsigned code) {
    metrics_.count_http_request(handler, code);
  };
  return result;
}

WebReply Agent::metrics_reply(ExpositionFormat format) {
  WebReply reply;
  reply.body = page_.render(format);
  reply.content_type = std::string(content_type(format));
  return reply;
}

WebReply Agent::config_reply() {
  const std::lock_guard lock(described_mutex_);
  return text_reply(200, show_document(document_));
}

WebReply Agent::upstreams_reply(const std::optional<std::string>& name) {
  auto document = name ? upstream_json(status_data(), *name) : upstreams_json(status_data());
  if (!document) return text_reply(404, "There is no upstream of this name.\n");
  WebReply reply = text_reply(200, std::move(*document));
  reply.content_type = "application/json";
  return reply;
}

StatusData Agent::status_data() {
  StatusData data;
  data.targets = board_.snapshot();
  if (const auto snapshot = host_ ? host_->latest() : nullptr) data.host = host_glance(*snapshot);
  data.host_name = own_host_name();
  data.now = loop_.wall_now();
  data.history_until = loop_.now();
  data.second_look = [this](const TargetStatus& status) {
    return sentence(second_looks_.found_for(status));
  };
  const std::lock_guard lock(described_mutex_);
  data.configuration = described_;
  data.notes = notes_;
  return data;
}

WebReply Agent::page_reply() {
  const std::string nonce = random_token();
  WebReply reply;
  reply.body = render_status_page(status_data(), nonce);
  reply.content_type = "text/html; charset=utf-8";
  reply.headers.emplace_back("Content-Security-Policy", status_page_policy(nonce));
  reply.headers.emplace_back("Referrer-Policy", "no-referrer");
  return reply;
}

}  // namespace

int run_agent(const RunArguments& arguments) {
  // Before all else: a signal that came earlier would end the process unheard, and threads inherit
  // what is blocked.
  UniqueFd signals = take_signals();
  auto first = first_load([arguments] { return load(arguments, nullptr); }, signals.get());
  if (!first) return 0;
  LoadResult& loaded = *first;
  if (!loaded) {
    std::fprintf(stderr, "%s\n", joined(loaded.error()).c_str());
    return kConfigurationError;
  }
  const LoggingConfig& log = loaded->config.logging;
  const Result<void> logging = start_logging(log.level, log.format);
  if (!logging) {
    std::fprintf(stderr, "upstream-agent: %s\n", logging.error().message.c_str());
    return 2;
  }
  int status = 0;
  {
    Agent agent(arguments, std::move(loaded->config), std::move(signals));
    const Result<void> started = agent.start(*loaded);
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
