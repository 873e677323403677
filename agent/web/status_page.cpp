// SPDX-License-Identifier: Apache-2.0
#include "agent/web/status_page.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "agent/show_time.h"
#include "agent/web/html.h"
#include "agent/web/standing.h"
#include "agent/web/status_page_assets.h"
#include "agent/web/target_view.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, kStandingCount> kHeadings{
    "Failing", "Trouble on this host", "Slow", "Waiting for the first result", "Up"};

constexpr std::size_t kNamesInSummary = 5;

struct Upstream {
  unsigned targets = 0;
  unsigned failing = 0;
};

using Targets = std::vector<const TargetStatus*>;

bool fails(const TargetStatus& status) { return standing(status) == Standing::failing; }

Targets in_order(const std::vector<StatusBoard::Entry>& entries) {
  Targets result;
  for (const auto& entry : entries) result.push_back(entry.get());
  const auto rank = [](const TargetStatus& status) {
    const bool down = status.verdict == Verdict::down;
    return std::tuple(standing(status), !down, std::string_view(status.upstream));
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const auto* a, const auto* b) { return rank(*a) < rank(*b); });
  return result;
}

/// "2 of 14 targets fail: checkout, search"
std::string summary(const Targets& targets, std::size_t failing) {
  const std::string all =
      std::to_string(targets.size()) + (targets.size() == 1 ? " target" : " targets");
  if (targets.empty()) return "Nothing is probed yet.";
  if (failing == 0) return all + ", none fails.";
  std::vector<std::string_view> names;
  for (const TargetStatus* target : targets) {
    const bool news = std::find(names.begin(), names.end(), target->upstream) == names.end();
    if (fails(*target) && news) names.push_back(target->upstream);
  }
  std::string result =
      std::to_string(failing) + " of " + all + (failing == 1 ? " fails: " : " fail: ");
  for (std::size_t i = 0; i < names.size() && i < kNamesInSummary; ++i) {
    if (i != 0) result += ", ";
    result += html_escape(names[i]);
  }
  if (names.size() > kNamesInSummary) {
    result += " and " + std::to_string(names.size() - kNamesInSummary) + " more";
  }
  return result;
}

void add_head(std::string& out, const StatusData& data, const Targets& targets,
              std::string_view nonce) {
  const auto failing = static_cast<std::size_t>(
      std::count_if(targets.begin(), targets.end(), [](const auto* s) { return fails(*s); }));
  const std::string alarm = failing == 0 ? "" : '(' + std::to_string(failing) + ") ";
  const std::string where = data.host_name.empty() ? "" : " on " + html_escape(data.host_name);
  out += "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + alarm +
         "upstream-agent" + where +
         "</title>\n"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
         "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n<style nonce=\"" +
         std::string(nonce) + "\">\n";
  out += kStatusPageStyle;
  out +=
      "</style></head><body>\n<a class=\"skip\" href=\"#upstreams\">Skip to the upstreams</a>\n"
      "<div id=\"stale\" role=\"alert\" hidden></div>\n"
      "<p id=\"said\" class=\"unseen\" role=\"status\"></p>\n"
      "<header class=\"head\"><h1>upstream-agent" +
      where + "</h1><p id=\"summary\" role=\"status\"" +
      std::string(failing == 0 ? "" : " class=\"bad\"") + '>' + summary(targets, failing) +
      "</p><nav aria-label=\"Other pages\"><a href=\"/metrics\">metrics</a>"
      "<a href=\"/api/v1/upstreams\">JSON</a><a "
      "href=\"/config\">configuration</a></nav></header>\n<div class=\"layout\"><div><div "
      "class=\"find\" role=\"search\">"
      "<input id=\"filter\" type=\"search\" autocomplete=\"off\" "
      "aria-label=\"Show only upstreams that contain\" placeholder=\"Filter by name, target or "
      "class ( / )\"></div>\n<p id=\"nothing\" role=\"status\" hidden>No upstream contains "
      "that.</p>\n";
}

constexpr std::string_view kNothing =
    R"(<div class="card"><h2>No upstream is probed yet</h2>
<p>Name one in <code>/etc/upstream-agent/agent.toml</code>, or in the file that the foot of this page names, then
send the agent a SIGHUP:</p>
<pre>[[upstream]]
name = "app"
targets = ["http://127.0.0.1:3000/"]</pre>
<p class="dim">Without that file the agent probes what nginx's configuration under /etc/nginx names.</p>
</div>
)";

void add_sections(std::string& out, const StatusData& data, const Targets& targets) {
  std::map<std::string_view, Upstream> upstreams;
  std::array<std::size_t, kStandingCount> sizes{};
  for (const TargetStatus* target : targets) {
    Upstream& upstream = upstreams[target->upstream];
    ++upstream.targets;
    if (fails(*target)) ++upstream.failing;
    ++sizes[static_cast<std::size_t>(standing(*target))];
  }
  auto next = targets.begin();
  for (std::size_t i = 0; i < kStandingCount; ++i) {
    if (sizes[i] == 0) continue;
    const std::string standing(name(static_cast<Standing>(i)));
    const std::string id = "s-" + standing;
    out += "<section data-standing=\"";
    out += standing;
    out += "\" aria-labelledby=\"" + id;
    out += "\"><h2 id=\"" + id + "\">" + std::string(kHeadings[i]);
    out += " (" + std::to_string(sizes[i]) + ")</h2>\n";
    for (const auto end = next + static_cast<std::ptrdiff_t>(sizes[i]); next != end; ++next) {
      const TargetStatus& status = **next;
      const Upstream& upstream = upstreams[status.upstream];
      out +=
          target_html({status, data.second_look_at(status), upstream.targets - 1,
                       upstream.failing - (fails(status) ? 1 : 0), data.now, data.history_until});
    }
    out += "</section>\n";
  }
}

class HostList {
 public:
  explicit HostList(std::string& out) : out_(out) {}

  void add(std::string_view label, const std::string& value) {
    out_ += "<dt>" + std::string(label) + "</dt><dd>" + value + "</dd>";
  }
  void add(std::string_view label, const std::optional<std::uint64_t>& value) {
    if (value) add(label, std::to_string(*value));
  }
  /// @param high from here on it is worth a look
  void add_ratio(std::string_view label, const std::optional<double>& ratio, double high) {
    if (!ratio) return;
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "%.0f %%", 100 * *ratio);
    add(label, text.data());
    std::snprintf(text.data(), text.size(),
                  "<dd class=\"meter\" aria-hidden=\"true\"><meter max=\"1\" low=\"%.2f\" "
                  "high=\"%.2f\" optimum=\"0\" "
                  "value=\"%.3f\"></meter></dd>",
                  high, (1 + high) / 2, *ratio);
    out_ += text.data();
  }

 private:
  std::string& out_;
};

void add_host(std::string& out, const HostGlance& glance) {
  out += "<aside id=\"host\" aria-labelledby=\"h-host\"><h2 id=\"h-host\">This host</h2><dl>";
  HostList list(out);
  list.add_ratio("CPU", glance.cpu_busy_ratio, 0.8);
  if (glance.load1) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.2f", *glance.load1);
    const std::string cpus = glance.cpus ? " on " + std::to_string(*glance.cpus) + " CPUs" : "";
    list.add("load, 1 min", text.data() + cpus);
  }
  list.add_ratio("memory", glance.memory_used_ratio, 0.8);
  list.add_ratio("swap", glance.swap_used_ratio, 0.5);
  if (glance.fullest_filesystem) {
    list.add_ratio("disk " + html_escape(glance.fullest_filesystem->mount),
                   glance.fullest_filesystem->used_ratio, 0.85);
  }
  list.add_ratio("local ports", glance.ports_used_ratio, 0.5);
  list.add_ratio("conntrack", glance.conntrack_used_ratio, 0.7);
  list.add_ratio("open files", glance.descriptors_used_ratio, 0.7);
  list.add("TCP established", glance.established);
  list.add("TCP time-wait", glance.time_wait);
  list.add("TCP listening", glance.listening);
  if (glance.listen_overflows.value_or(0) != 0) {
    list.add("listen overflows since boot", glance.listen_overflows);
  }
  if (glance.fullest_queue) {
    const FullestQueue& queue = *glance.fullest_queue;
    list.add("listen queue of :" + std::to_string(queue.port),
             std::to_string(queue.length) + " of " + std::to_string(queue.limit));
  }
  out += "</dl></aside>\n";
}

void add_foot(std::string& out, const StatusData& data) {
  out += "<footer id=\"foot\" class=\"dim\"><p>" + show_date(data.now) +
         ", version " UA_VERSION ", " + html_escape(data.configuration) + ".</p>\n";
  for (const std::string& note : data.notes) out += "<p>" + html_escape(note) + "</p>\n";
  out += "</footer>\n";
}

}  // namespace

std::string status_page_policy(std::string_view nonce) {
  const std::string own = "'nonce-" + std::string(nonce) + "'";
  return "default-src 'none'; style-src " + own + "; script-src " + own +
         "; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
}

std::string render_status_page(const StatusData& data, std::string_view nonce) {
  const Targets targets = in_order(data.targets);
  std::string out;
  add_head(out, data, targets, nonce);
  out += "<main id=\"upstreams\" tabindex=\"-1\" data-now=\"" + iso_date(data.now) + "\">\n";
  if (targets.empty()) out += kNothing;
  add_sections(out, data, targets);
  out += "</main></div>\n";
  add_host(out, data.host);
  out += "</div>\n";
  add_foot(out, data);
  out += "<script nonce=\"" + std::string(nonce) + "\">\n";
  out += kStatusPageScript;
  return out + "</script></body></html>\n";
}

}  // namespace ua
