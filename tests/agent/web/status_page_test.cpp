// SPDX-License-Identifier: Apache-2.0
#include "agent/web/status_page.h"

#include "agent/show_time.h"
#include "agent/web/html.h"
#include "agent/web/status_page_assets.h"
#include "agent/web/target_view.h"
#include "tests/catch.h"

namespace ua {
namespace {

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + 12h};

TargetStatus of(const std::string& upstream, Verdict verdict, ErrorClass error) {
  TargetStatus status;
  status.upstream = upstream;
  status.target = "http://" + upstream + ".test/";
  status.interval = 5s;
  status.verdict = verdict;
  status.last.emplace();
  status.last->error = error;
  status.last->address = "192.0.2.1:80";
  status.last->times.set(TimedPhase::connect, 1ms);
  status.last->times.set(TimedPhase::total, 4ms);
  status.last_run = kNow - 3s;
  status.state_change = kNow - 10min;
  status.attempts = 20;
  if (!status.last->success()) {
    status.failures = 4;
    status.first_check = "systemctl status " + upstream;
  }
  return status;
}

std::string page_of(const std::vector<TargetStatus>& statuses) {
  StatusData data;
  for (const TargetStatus& status : statuses) {
    data.targets.push_back(std::make_shared<const TargetStatus>(status));
  }
  data.now = kNow;
  data.configuration = "configuration a.toml";
  return render_status_page(data, "n0nce");
}

std::string view_of(const TargetStatus& status, unsigned siblings = 0, unsigned failing = 0,
                    std::string_view second_look = "") {
  return target_html({status, second_look, siblings, failing, kNow, Time{}});
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Both are there, in this order.
bool in_order(const std::string& text, std::string_view first, std::string_view second) {
  const auto at = text.find(first);
  return at != std::string::npos && text.find(second, at + first.size()) != std::string::npos;
}

TEST_CASE("a page names what fails in its title and in its first line") {
  const std::string page = page_of({of("a", Verdict::up, ErrorClass::none),
                                    of("shop", Verdict::down, ErrorClass::connect_refused),
                                    of("cart", Verdict::down, ErrorClass::dns_not_found)});
  CHECK(has(page, "<title>(2) upstream-agent</title>"));
  CHECK(has(page,
            "<p id=\"summary\" role=\"status\" class=\"bad\">2 of 3 targets fail: cart, shop</p>"));
  const std::string well = page_of({of("a", Verdict::up, ErrorClass::none)});
  CHECK(has(well, "<title>upstream-agent</title>"));
  CHECK(has(well, "<p id=\"summary\" role=\"status\">1 target, none fails.</p>"));
}

TEST_CASE("a page tells of which host it is") {
  StatusData data;
  data.host_name = "web<3";
  const std::string page = render_status_page(data, "n0nce");
  CHECK(has(page, "<title>upstream-agent on web&lt;3</title>"));
  CHECK(has(page, "<h1>upstream-agent on web&lt;3</h1>"));
}

TEST_CASE("the first line stays short in a large outage") {
  std::vector<TargetStatus> statuses;
  for (int i = 0; i < 9; ++i) {
    statuses.push_back(of("u" + std::to_string(i), Verdict::down, ErrorClass::connect_refused));
    statuses.push_back(statuses.back());
    statuses.back().target = "http://other.test/";
  }
  CHECK(has(page_of(statuses), ">18 of 18 targets fail: u0, u1, u2, u3, u4 and 4 more</p>"));
}

TEST_CASE("sections come the worst first") {
  TargetStatus own = of("own", Verdict::up, ErrorClass::local_resources_exhausted);
  own.local_trouble = LocalTrouble::resources_exhausted;
  TargetStatus waiting;
  waiting.upstream = "young";
  const std::string page = page_of({of("fine", Verdict::up, ErrorClass::none), waiting,
                                    of("late", Verdict::up, ErrorClass::slow_response), own,
                                    of("wobbly", Verdict::up, ErrorClass::http_503),
                                    of("broken", Verdict::down, ErrorClass::connect_refused)});
  CHECK(in_order(page, ">Failing (2)</h2>", "\">broken</h3>"));
  CHECK(in_order(page, "\">broken</h3>", "\">wobbly</h3>"));
  CHECK(in_order(page, "\">wobbly</h3>", ">Trouble on this host (1)</h2>"));
  CHECK(in_order(page, ">Trouble on this host (1)</h2>", "\">own</h3>"));
  CHECK(in_order(page, "\">own</h3>", ">Slow (1)</h2>"));
  CHECK(in_order(page, ">Slow (1)</h2>", "\">late</h3>"));
  CHECK(in_order(page, "\">late</h3>", ">Waiting for the first result (1)</h2>"));
  CHECK(in_order(page, "\">young</h3>", ">Up (1)</h2>"));
  CHECK(in_order(page, ">Up (1)</h2>", "<span class=\"name\">fine</span>"));
}

TEST_CASE("a failing target shows class, since when, cause and a command that can be copied") {
  const std::string card = view_of(of("shop", Verdict::down, ErrorClass::connect_refused));
  CHECK(has(card, "<span class=\"state\">down</span>"));
  CHECK(has(card,
            "<code class=\"badge\">connect_refused</code> <span class=\"dim\">phase connect, for "
            "<time datetime=\"2026-03-01T11:50:00Z\" title=\"2026-03-01 11:50:00 UTC\">10 "
            "min</time></span>"));
  CHECK(has(card, html_escape(info(ErrorClass::connect_refused).likely_cause)));
  CHECK(has(card, html_escape(info(ErrorClass::connect_refused).first_check)));
  CHECK(has(card,
            "<code>systemctl status shop</code><button type=\"button\" class=\"copy\" "
            "aria-label=\"Copy the command for shop\">Copy</button>"));
  CHECK(has(card, "<dt>address</dt><dd>192.0.2.1:80</dd>"));
  CHECK(has(card, "<dt>last success</dt><dd>none since the agent started</dd>"));
  CHECK(has(card, "<dt>failed</dt><dd>4 of 20 probes</dd>"));
}

TEST_CASE("a slow target is shown since it is slow, not since it is up") {
  TargetStatus status = of("shop", Verdict::up, ErrorClass::slow_response);
  const std::string_view badge = "<code class=\"badge\">slow_response</code> <span class=\"dim\">";
  CHECK(has(view_of(status), std::string(badge) + "phase content</span>"));
  status.slow_since = kNow - 3min;
  CHECK(in_order(view_of(status), badge,
                 "phase content, for <time datetime=\"2026-03-01T11:57:00Z\""));
}

TEST_CASE("a card has the name of its upstream, also for a screen reader") {
  const std::string card = view_of(of("shop", Verdict::down, ErrorClass::connect_refused));
  const auto begin = card.find(" aria-labelledby=\"") + 18;
  const std::string id = card.substr(begin, card.find('"', begin) - begin);
  CHECK(id.starts_with("n-"));
  CHECK(has(card, "<h3 id=\"" + id + "\">shop</h3>"));
}

TEST_CASE("what is up is told from what only answered last") {
  CHECK(has(view_of(of("a", Verdict::up, ErrorClass::http_503)),
            "<span class=\"state\">up, but the last probe failed</span>"));
  CHECK(has(view_of(of("a", Verdict::unknown, ErrorClass::http_503)),
            "<span class=\"state\">failing</span>"));
  CHECK(has(view_of(of("a", Verdict::down, ErrorClass::none)),
            "<span class=\"state\">down, recovering</span>"));
  CHECK(has(view_of(of("a", Verdict::up, ErrorClass::none)), "<span class=\"state\">up</span>"));
}

TEST_CASE("a card says how the other targets of the upstream are") {
  const TargetStatus status = of("a", Verdict::down, ErrorClass::connect_refused);
  CHECK_FALSE(has(view_of(status), "other target"));
  CHECK(has(view_of(status, 1, 0), "The other target of this upstream is well."));
  CHECK(has(view_of(status, 1, 1), "The other target of this upstream fails, too."));
  CHECK(has(view_of(status, 3, 0), "The 3 other targets of this upstream are well."));
  CHECK(has(view_of(status, 3, 1), "1 of the 3 other targets of this upstream fails, too."));
  CHECK(has(view_of(status, 3, 2), "2 of the 3 other targets of this upstream fail, too."));

  TargetStatus other = status;
  other.target = "http://other.test/";
  CHECK(has(page_of({status, other}), "The other target of this upstream fails, too."));
}

TEST_CASE("phases are bars that follow one another, the one that a probe ended in is open") {
  TargetStatus status = of("a", Verdict::down, ErrorClass::response_timeout);
  CHECK(has(view_of(status),
            "<th scope=\"row\">connect</th><td><svg viewBox=\"0 0 100 9\" "
            "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"done\" x=\"0.0\" "
            "width=\"25.0\" height=\"9\"/></svg></td><td>1.0 ms</td>"));
  CHECK(has(view_of(status),
            "<th scope=\"row\">response_headers</th><td><svg viewBox=\"0 0 100 9\" "
            "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"open\" x=\"25.0\" "
            "width=\"75.0\" height=\"9\"/></svg></td><td>3.0 ms …</td>"));
  CHECK(has(view_of(status), "<th scope=\"row\">total</th><td></td><td>4.0 ms</td>"));
}

TEST_CASE("a second look and the certificate are shown") {
  TargetStatus status = of("a", Verdict::down, ErrorClass::tls_cert_expired);
  status.last->tls.emplace();
  status.last->tls->certificate.emplace();
  status.last->tls->certificate->subject = "CN=shop.test";
  status.last->tls->certificate->not_after = kNow - 24h * 3;
  const std::string card = view_of(status, 0, 0, "it speaks plain HTTP");
  CHECK(has(card, "<dt>Second look</dt><dd>it speaks plain HTTP.</dd>"));
  CHECK(has(card, "<dt>certificate</dt><dd>CN=shop.test</dd>"));
  CHECK(has(card, "<dt>valid until</dt><dd>2026-02-26 12:00:00 UTC (expired 3 days ago)</dd>"));
  CHECK(has(card, "<dt>TLS</dt><dd>not verified</dd>"));
  status.last->tls->certificate->not_after = kNow + 5h;
  CHECK(has(view_of(status), "<dd>2026-03-01 17:00:00 UTC (in 5 h)</dd>"));
}

TEST_CASE("a history is drawn in both forms") {
  const auto history = std::make_shared<TargetHistory>();
  history->record(Time{} + 1h, TargetHistory::Result::failure, 1s);
  for (const auto error : {ErrorClass::none, ErrorClass::connect_refused}) {
    TargetStatus status = of("a", Verdict::up, error);
    status.history = history;
    CHECK(has(target_html({status, "", 0, 0, kNow, Time{} + 1h}),
              "aria-label=\"in the last 2 min 1 of 1 probes failed\"><path class=\"failed\""));
  }
}

TEST_CASE("hostile text becomes neither markup nor attribute") {
  TargetStatus status = of("<b>\"'&", Verdict::down, ErrorClass::connect_refused);
  status.last->message = "<script>alert(1)</script>\x1b[31m";
  const std::string page = page_of({status});
  CHECK(has(page, "\">&lt;b&gt;&quot;&#39;&amp;</h3>"));
  CHECK(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m"));
  CHECK(has(page, "data-find=\"&lt;b&gt;&quot;&#39;&amp; http://"));
}

TEST_CASE("only what the page itself holds may run or style it") {
  const std::string page = page_of({});
  CHECK(has(page, "<style nonce=\"n0nce\">"));
  CHECK(has(page, "<script nonce=\"n0nce\">"));
  CHECK(status_page_policy("n0nce") ==
        "default-src 'none'; style-src 'nonce-n0nce'; script-src 'nonce-n0nce'; connect-src "
        "'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  CHECK_FALSE(has(page, " style=\""));
  CHECK_FALSE(has(page, "://cdn"));
  CHECK_FALSE(has(std::string(kStatusPageStyle), "</"));
  CHECK_FALSE(has(std::string(kStatusPageScript), "</"));
}

TEST_CASE("targets keep their id from page to page, and no two share one") {
  TargetStatus one = of("a", Verdict::down, ErrorClass::connect_refused);
  const auto id = [](const TargetStatus& status) {
    const std::string html = view_of(status);
    const auto begin = html.find("id=\"t-");
    return html.substr(begin, html.find('"', begin + 4) - begin);
  };
  const std::string before = id(one);
  one.verdict = Verdict::up;
  one.last->error = ErrorClass::none;
  CHECK(id(one) == before);
  one.address = "192.0.2.1:80";
  CHECK(id(one) != before);
}

TEST_CASE("the host's figures stand beside the upstreams") {
  StatusData data;
  data.now = kNow;
  data.host.cpu_busy_ratio = 0.425;
  data.host.cpus = 2;
  data.host.load1 = 1.5;
  data.host.fullest_queue = FullestQueue{8080, 6, 10};
  const std::string page = render_status_page(data, "n0nce");
  CHECK(has(page,
            "<dt>CPU</dt><dd>42 %</dd><dd class=\"meter\" aria-hidden=\"true\"><meter max=\"1\" "
            "low=\"0.80\" high=\"0.90\" optimum=\"0\" value=\"0.425\"></meter></dd>"));
  CHECK(has(page, "<dt>load, 1 min</dt><dd>1.50 on 2 CPUs</dd>"));
  CHECK(has(page, "<dt>listen queue of :8080</dt><dd>6 of 10</dd>"));
  CHECK_FALSE(has(page, "<dt>memory</dt>"));
  CHECK(has(page, "No upstream is probed yet"));
}

TEST_CASE("times are shown in the unit that people read") {
  CHECK(show_brief(120us) == "0.1 ms");
  CHECK(show_brief(9949us) == "9.9 ms");
  CHECK(show_brief(9950us) == "10 ms");
  CHECK(show_brief(999ms) == "999 ms");
  CHECK(show_brief(999500us) == "1.00 s");
  CHECK(show_age(kNow, kNow - 119s) == "119 s");
  CHECK(show_age(kNow, kNow - 120s) == "2 min");
  CHECK(show_age(kNow, kNow - 3h) == "3 h");
  CHECK(show_age(kNow, kNow - 72h) == "3 days");
  CHECK(show_age(kNow, kNow + 5s) == "0 s");
}

}  // namespace
}  // namespace ua
