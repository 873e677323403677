// SPDX-License-Identifier: Apache-2.0
#include "agent/web/status_page.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>upstream-agent</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="10">
<style>
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--fg:#1c2126;--dim:#5c6670;--line:#dfe3e6;--up:#14713d;--down:#b3261e;
--warn:#8a5300;--unk:#59636e;--bar:#2f6fab}
@media(prefers-color-scheme:dark){:root{color-scheme:light dark;--bg:#14171a;--card:#1c2024;--fg:#e6e9ec;--dim:#9aa4ad;
--line:#31373d;--up:#5ec98a;--down:#ff8a80;--warn:#f0b45a;--unk:#a3adb6;--bar:#6aa9e0}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);
font:15px/1.45 system-ui,sans-serif}main,header{max-width:76rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.1rem}h1{font-size:1.25rem;margin:0}p{margin:.3rem 0}.dim{color:var(--dim)}
a{color:var(--bar)}
dl.host{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem;margin:.8rem 0;padding:0}
dl.host div{display:flex;gap:.4rem}dt{color:var(--dim)}dd{margin:0}
article{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--unk);
border-radius:6px;padding:.7rem .9rem;margin:.7rem 0}
article.down{border-left-color:var(--down)}article.up{border-left-color:var(--up)}
article.degraded{border-left-color:var(--warn)}article.trouble{border-left-color:var(--warn)}
h2{font-size:1.02rem;margin:0;display:flex;flex-wrap:wrap;gap:.2rem .7rem;align-items:baseline}
.state{font-weight:700}.down .state{color:var(--down)}.up .state{color:var(--up)}
.degraded .state,.trouble .state{color:var(--warn)}.target{font-weight:400;color:var(--dim);
overflow-wrap:anywhere}code{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
pre{margin:.3rem 0;padding:.45rem .6rem;background:var(--bg);border:1px solid var(--line);
border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace}
.facts{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;margin-top:.3rem}
.bar{display:flex;height:6px;max-width:26rem;margin:.45rem 0 .1rem;background:var(--line);
border-radius:3px;overflow:hidden}.bar i{display:block;height:100%;background:var(--bar);
border-right:1px solid var(--card)}
</style></head><body>
)";

std::string ago(WallTime now, WallTime then) {
  const auto seconds = std::max<std::int64_t>(0, (now - then) / 1s);
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

/// "2026-03-01 12:00:00 UTC"
std::string date(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day ymd{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u %02d:%02d:%02d UTC",
                static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                static_cast<unsigned>(ymd.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer.data();
}

std::string milliseconds(Duration value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f ms", to_seconds(value) * 1000);
  return buffer.data();
}

/// How a target is shown: the worse first.
struct Shown {
  int rank;
  std::string_view css;
  std::string_view word;
};

Shown shown(const TargetStatus& status) {
  if (!status.last) return {3, "unknown", "waiting for the first result"};
  const bool well = status.last->success();
  if (!well && status.local_trouble != LocalTrouble::none) {
    return {1, "trouble", "trouble on this host, not counted against the upstream"};
  }
  if (status.verdict == Verdict::down) return {0, "down", well ? "down, recovering" : "down"};
  if (!well)
    return {1, "degraded", status.verdict == Verdict::up ? "up, last probe failed" : "failing"};
  if (status.last->error == ErrorClass::slow_response) return {2, "degraded", "up, slow"};
  return {4, "up", "up"};
}

void phases(std::string& out, const Outcome& outcome) {
  const auto total = outcome.times.get(TimedPhase::total);
  if (!total || *total <= Duration::zero()) return;
  std::string bar;
  std::string words;
  for (std::size_t i = 0; i + 1 < kTimedPhaseCount; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    const auto value = outcome.times.get(phase);
    if (!value) continue;
    const double share = std::min(100.0, 100 * to_seconds(*value) / to_seconds(*total));
    std::array<char, 48> width{};
    std::snprintf(width.data(), width.size(), "<i style=\"width:%.1f%%\"></i>", share);
    bar += width.data();
    words += std::string(name(phase)) + ' ' + milliseconds(*value) + ", ";
  }
  if (!bar.empty()) out += "<div class=\"bar\" aria-hidden=\"true\">" + bar + "</div>";
  out += "<p class=\"dim\">" + words + "total " + milliseconds(*total) + "</p>";
}

void facts(std::string& out, const TargetStatus& status, WallTime now) {
  const Outcome& last = *status.last;
  out += "<div class=\"facts dim\">";
  if (status.state_change) {
    out += "<span>since " + date(*status.state_change) + " (" + ago(now, *status.state_change) +
           ")</span>";
  }
  if (!last.address.empty()) out += "<span>" + html_escape(last.address) + "</span>";
  if (last.http) out += "<span>HTTP " + std::to_string(last.http->status_code) + "</span>";
  if (last.tls && last.tls->certificate) {
    out += "<span>certificate until " + date(last.tls->certificate->not_after) + "</span>";
  }
  if (status.last_run) out += "<span>probed " + ago(now, *status.last_run) + " ago</span>";
  out += "<span>every " + format_duration(status.interval) + "</span></div>";
}

/// Class, cause and first check.
void failure(std::string& out, const TargetStatus& status, std::string_view second_look) {
  const Outcome& last = *status.last;
  const ErrorClassInfo& row = info(last.error);
  out += "<p><code>" + std::string(row.name) + "</code> (phase " + std::string(name(row.phase)) +
         "): " + html_escape(row.meaning) + ".";
  if (!last.detail.empty()) out += " <span class=\"dim\">" + html_escape(last.detail) + "</span>";
  out += "</p>";
  if (!last.redirected_to.empty()) {
    out += "<p>After a redirect to <code>" + html_escape(last.redirected_to) + "</code></p>";
  }
  if (!last.message.empty()) out += "<p class=\"dim\">" + html_escape(last.message) + "</p>";
  if (!second_look.empty()) out += "<p><b>Second look:</b> " + html_escape(second_look) + ".</p>";
  out += "<p><b>Likely cause:</b> " + html_escape(row.likely_cause) +
         "</p><p><b>First check:</b> " + html_escape(row.first_check) + "</p><pre>" +
         html_escape(status.first_check) + "</pre>";
}

void target(std::string& out, const TargetStatus& status, const StatusPageData& page) {
  const Shown how = shown(status);
  out += "<article class=\"" + std::string(how.css) + "\"><h2>" + html_escape(status.upstream) +
         " <span class=\"state\">" + std::string(how.word) + "</span> <span class=\"target\">" +
         html_escape(status.target);
  if (!status.address.empty()) out += " at " + html_escape(status.address);
  out += "</span></h2>";
  if (status.last) {
    if (status.last->error != ErrorClass::none)
      failure(out, status, page.second_look ? page.second_look(status) : "");
    facts(out, status, page.now);
    phases(out, *status.last);
  }
  out += "</article>\n";
}

void host(std::string& out, const HostGlance& glance) {
  const auto item = [&](const char* label, const std::string& value) {
    out += std::string("<div><dt>") + label + "</dt><dd>" + value + "</dd></div>";
  };
  std::array<char, 64> buffer{};
  out += "<dl class=\"host\" aria-label=\"This host\">";
  if (glance.load1) {
    std::snprintf(buffer.data(), buffer.size(), "%.2f on %u CPUs", *glance.load1,
                  glance.cpus.value_or(0));
    item("load", buffer.data());
  }
  if (glance.memory_used_ratio) {
    std::snprintf(buffer.data(), buffer.size(), "%.0f %% used", 100 * *glance.memory_used_ratio);
    item("memory", buffer.data());
  }
  if (glance.established) item("TCP established", std::to_string(*glance.established));
  if (glance.listening) item("listening sockets", std::to_string(*glance.listening));
  out += "</dl>";
}

constexpr std::string_view kNothing = R"(<article><h2>No upstream is probed yet</h2>
<p>Name one in <code>/etc/upstream-agent/agent.toml</code>, then send the agent a SIGHUP:</p>
<pre>[[upstream]]
name = "app"
targets = ["http://127.0.0.1:3000/"]</pre>
<p class="dim">Without that file the agent probes what nginx's configuration under /etc/nginx names.</p>
</article>
)";

}  // namespace

std::string html_escape(std::string_view bytes) {
  std::string result;
  for (const char c : escape_line(bytes, 2000)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string render_status_page(const StatusPageData& data) {
  std::vector<const TargetStatus*> targets;
  for (const auto& entry : data.targets) targets.push_back(entry.get());
  std::stable_sort(targets.begin(), targets.end(), [](const auto* a, const auto* b) {
    return std::pair(shown(*a).rank, std::string_view(a->upstream)) <
           std::pair(shown(*b).rank, std::string_view(b->upstream));
  });
  const auto failing = std::count_if(targets.begin(), targets.end(),
                                     [](const auto* s) { return shown(*s).rank < 2; });
  std::string out(kHead);
  out += "<header><h1>upstream-agent</h1><p>" + std::to_string(targets.size()) + " targets, " +
         std::to_string(failing) + " failing. <span class=\"dim\">" + date(data.now) + ", " +
         html_escape(data.configuration) + ". <a href=\"/metrics\">metrics</a></span></p>";
  host(out, data.host);
  out += "</header><main>\n";
  if (targets.empty()) out += kNothing;
  for (const TargetStatus* status : targets) target(out, *status, data);
  for (const std::string& note : data.notes) {
    out += "<p class=\"dim\">" + html_escape(note) + "</p>\n";
  }
  return out + "</main></body></html>\n";
}

}  // namespace ua
