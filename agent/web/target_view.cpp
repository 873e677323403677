// SPDX-License-Identifier: Apache-2.0
#include "agent/web/target_view.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "agent/diagnosis/phase_bars.h"
#include "agent/show_time.h"
#include "agent/web/html.h"
#include "agent/web/sparkline.h"
#include "agent/web/standing.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

struct Shown {
  std::string_view css;
  std::string_view word;
};

Shown shown(const TargetStatus& status) {
  switch (standing(status)) {
    case Standing::waiting:
      return {"waiting", "waiting for the first result"};
    case Standing::own_trouble:
      return {"trouble", "trouble on this host, not counted against the upstream"};
    case Standing::slow:
      return {"slow", "up, slow"};
    case Standing::up:
      return {"up", "up"};
    case Standing::failing:
      break;
  }
  if (status.verdict == Verdict::up) return {"slow", "up, but the last probe failed"};
  if (status.verdict == Verdict::unknown) return {"down", "failing"};
  return {"down", status.last->success() ? "down, recovering" : "down"};
}

std::string id_of(const TargetStatus& status) {
  std::array<char, 16> digits{};
  const auto hash = stable_hash(status.upstream + '\n' + status.target + '\n' + status.address);
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
  return "t-" + std::string(digits.data(), end);
}

/// Of the heading that names a card.
std::string name_id(const TargetStatus& status) { return 'n' + id_of(status).substr(1); }

std::string open_tag(std::string_view element, std::string_view css, const TargetStatus& status) {
  std::string find =
      status.upstream + ' ' + status.target + ' ' + status.address + ' ' + status.service;
  if (status.last) find += ' ' + std::string(name(status.last->error));
  return '<' + std::string(element) + " class=\"" + std::string(css) + "\" id=\"" + id_of(status) +
         "\" data-find=\"" + html_escape(find) + '"';
}

std::string target_text(const TargetStatus& status) {
  std::string result = html_escape(status.target);
  if (!status.address.empty()) result += " at " + html_escape(status.address);
  return result;
}

std::string percent(double part) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f", 100 * part);
  return text.data();
}

void add_waterfall(std::string& out, const Outcome& outcome) {
  const auto bars = phase_bars(outcome);
  if (bars.empty()) return;
  out += "<table class=\"times\" aria-label=\"Times of the last probe\">";
  for (const PhaseBar& bar : bars) {
    out += "<tr><th scope=\"row\">" + std::string(bar.label) +
           "</th><td><svg viewBox=\"0 0 100 9\" "
           "preserveAspectRatio=\"none\" aria-hidden=\"true\">";
    if (bar.length > 0 || bar.label != "other") {
      const double width = std::max(bar.length, 0.008);
      const double begin = std::min(bar.begin, 1 - width);
      out += std::string("<rect class=\"") + (bar.unfinished ? "open" : "done") + "\" x=\"" +
             percent(begin) + "\" width=\"" + percent(width) + "\" height=\"9\"/>";
    }
    out += "</svg></td><td>" + show_brief(bar.time) + (bar.unfinished ? " …" : "") + "</td></tr>";
  }
  out += "<tr><th scope=\"row\">total</th><td></td><td>" +
         show_brief(*outcome.times.get(TimedPhase::total)) + "</td></tr></table>";
}

void add_history(std::string& out, const TargetView& view) {
  if (!view.status.history) return;
  const auto slots = view.status.history->read(view.history_until);
  const std::string drawing = sparkline_svg(slots);
  if (drawing.empty()) return;
  out += "<div class=\"history\">" + drawing + "<p aria-hidden=\"true\">" +
         html_escape(history_in_words(slots)) + "</p></div>";
}

class Facts {
 public:
  explicit Facts(std::string& out) : out_(out) { out_ += "<dl class=\"facts\">"; }
  ~Facts() { out_ += "</dl>"; }
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;

  /// @param html escaped already; nothing is shown where it is empty
  void add(std::string_view label, const std::string& html) {
    if (html.empty()) return;
    out_ += "<div><dt>" + std::string(label) + "</dt><dd>" + html + "</dd></div>";
  }

 private:
  std::string& out_;
};

std::string address_text(const Outcome& last) {
  if (last.address.empty()) return {};
  std::string result = html_escape(last.address);
  if (last.addresses > 1) {
    result += " (the name has " + std::to_string(last.addresses) + " addresses)";
  }
  return result;
}

std::string http_text(const HttpFacts& http) {
  if (http.status_code == 0) return {};
  std::string result = "status " + std::to_string(http.status_code);
  if (http.version >= 2) {
    result += ", HTTP/2";
  } else if (http.version > 0) {
    result += http.version < 1.05 ? ", HTTP/1.0" : ", HTTP/1.1";
  }
  if (http.redirects > 0) result += ", redirects followed: " + std::to_string(http.redirects);
  return result;
}

void add_tls(Facts& facts, const TlsFacts& tls, WallTime now) {
  std::string handshake = html_escape(tls.version);
  if (!tls.verified) handshake += handshake.empty() ? "not verified" : ", not verified";
  facts.add("TLS", handshake);
  if (!tls.certificate) return;
  const Certificate& leaf = *tls.certificate;
  facts.add("certificate", html_escape(leaf.subject));
  const std::string when = leaf.not_after <= now
                               ? "expired " + show_age(now, leaf.not_after) + " ago"
                               : "in " + show_age(leaf.not_after, now);
  facts.add("valid until", show_date(leaf.not_after) + " (" + when + ')');
}

void add_facts(std::string& out, const TargetView& view) {
  const TargetStatus& status = view.status;
  Facts facts(out);
  if (status.last) {
    facts.add("address", address_text(*status.last));
    if (status.last->http) facts.add("HTTP", http_text(*status.last->http));
    if (status.last->tls) add_tls(facts, *status.last->tls, view.now);
  }
  if (status.last_run) facts.add("probed", time_ago(view.now, *status.last_run) + " ago");
  facts.add("every", format_duration(status.interval));
  const bool well = status.last && status.last->success();
  if (!well) {
    facts.add("last success", status.last_success
                                  ? time_ago(view.now, *status.last_success) + " ago"
                                  : "none since the agent started");
  } else if (status.state_change) {
    facts.add("well for", time_ago(view.now, *status.state_change));
  }
  if (status.attempts != 0) {
    facts.add("failed", std::to_string(status.failures) + " of " + std::to_string(status.attempts) +
                            " probes");
  }
  facts.add("service", html_escape(status.service));
  facts.add("from", html_escape(status.origin));
}

void add_command(std::string& out, const TargetStatus& status) {
  if (status.first_check.empty()) return;
  out += "<div class=\"cmd\"><code>" + html_escape(status.first_check) +
         "</code><button type=\"button\" class=\"copy\" aria-label=\"Copy the command for " +
         html_escape(status.upstream) + "\">Copy</button></div>";
}

/// Some or all: what one server lacks, or what all of them have in common.
std::string siblings_text(unsigned others, unsigned failing) {
  if (others == 1) {
    return failing == 0 ? "The other target of this upstream is well."
                        : "The other target of this upstream fails, too.";
  }
  const std::string all = "the " + std::to_string(others) + " other targets of this upstream";
  if (failing == 0) return "T" + all.substr(1) + " are well.";
  return std::to_string(failing) + " of " + all + (failing == 1 ? " fails, too." : " fail, too.");
}

/// Class, cause and first check.
void add_advice(std::string& out, const TargetView& view) {
  const Outcome& last = *view.status.last;
  const ErrorClassInfo& row = info(last.error);
  out += "<p class=\"what\">" + html_escape(row.meaning) + ".";
  if (!last.detail.empty()) out += " <span class=\"dim\">" + html_escape(last.detail) + "</span>";
  out += "</p>";
  if (!last.proxy.empty()) {
    out += "<p>Through the proxy <code>" + html_escape(last.proxy) + "</code>" +
           (last.proxy_failed ? ", which failed" : "") + "</p>";
  }
  if (!last.redirected_to.empty()) {
    out += "<p>After a redirect to <code>" + html_escape(last.redirected_to) + "</code></p>";
  }
  if (!last.message.empty()) out += "<p class=\"dim\">" + html_escape(last.message) + "</p>";
  if (view.siblings != 0) {
    out += "<p class=\"dim\">" + siblings_text(view.siblings, view.failing_siblings) + "</p>";
  }
  out += "<dl class=\"advice\">";
  if (!view.second_look.empty()) {
    out += "<dt>Second look</dt><dd>" + html_escape(view.second_look) + ".</dd>";
  }
  out += "<dt>Likely cause</dt><dd>" + html_escape(row.likely_cause) +
         "</dd><dt>First check</dt><dd>" + html_escape(row.first_check);
  add_command(out, view.status);
  out += "</dd></dl>";
}

std::string badge(const TargetView& view) {
  const TargetStatus& status = view.status;
  if (status.last->error == ErrorClass::none) return {};
  const ErrorClassInfo& row = info(status.last->error);
  std::string result = "<span><code class=\"badge\">" + std::string(row.name) +
                       "</code> <span class=\"dim\">phase " + std::string(name(row.phase));
  const auto& since = status.last->success() ? status.slow_since : status.state_change;
  if (since) result += ", for " + time_ago(view.now, *since);
  return result + "</span></span>";
}

std::string card(const TargetView& view, const Shown& how) {
  const TargetStatus& status = view.status;
  std::string out = open_tag("article", "card " + std::string(how.css), status);
  out += " aria-labelledby=\"" + name_id(status) + "\"><div class=\"top\"><h3 id=\"" +
         name_id(status) + "\">" + html_escape(status.upstream) + "</h3><span class=\"state\">" +
         std::string(how.word) + "</span>";
  if (status.last) out += badge(view);
  out += "</div><p class=\"target\">" + target_text(status) + "</p>";
  if (status.last) {
    out += "<div class=\"halves\"><div>";
    if (status.last->error != ErrorClass::none) add_advice(out, view);
    out += "</div><div>";
    add_waterfall(out, *status.last);
    add_history(out, view);
    out += "</div></div>";
  }
  add_facts(out, view);
  return out + "</article>\n";
}

std::string row(const TargetView& view, const Shown& how) {
  const TargetStatus& status = view.status;
  std::string out = open_tag("details", "card row " + std::string(how.css), status);
  out += "><summary><span class=\"name\">" + html_escape(status.upstream) +
         "</span><span class=\"target\">" + target_text(status) +
         "</span><span class=\"took-last\">";
  const auto total = status.last->times.get(TimedPhase::total);
  if (total) out += show_brief(*total);
  out += "</span><span>";
  if (status.history) out += sparkline_svg(status.history->read(view.history_until));
  out += "</span><span class=\"state\">" + std::string(how.word) +
         "</span></summary><div class=\"inside\">";
  add_waterfall(out, *status.last);
  add_facts(out, view);
  return out + "</div></details>\n";
}

}  // namespace

std::string target_html(const TargetView& view) {
  const Shown how = shown(view.status);
  return standing(view.status) == Standing::up ? row(view, how) : card(view, how);
}

}  // namespace ua
