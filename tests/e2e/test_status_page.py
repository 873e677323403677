# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: its script runs under the page's own policy, keeps the figures
fresh, and says so where it cannot."""
import contextlib
import http.server
import pathlib
import re
import tempfile
import threading

from tests.lab import agent
from tests.lab.agent import upstream
from tests.lab.browser import dom_after, tab
from tests.lab.hostile import after_request, reply, serving
from tests.lab.processes import need


@contextlib.contextmanager
def repeating(first, then):
    """Answers with `first` (body, headers) once and with `then` (status, body) ever after.
    @return its URL, and the list of paths that were asked for"""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/favicon.ico":
                self.send_error(404)
                return
            asked.append(self.path)
            status, body, headers = (200, *first) if len(asked) == 1 else (*then, {})
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page_of(config, tmp_path, until):
    """The page and its policy as an agent serves them once `until` holds."""
    tmp_path.mkdir(exist_ok=True)
    with agent.running(config, tmp_path) as a:
        a.wait_for(until)
        page = a.get("/")
        policy = a.head("/")["Content-Security-Policy"]
    # The browser gets the one page with the one policy.
    nonce = re.search(r"nonce-([0-9a-f]{32})'", policy)[1]
    page, count = re.subn(r'nonce="[0-9a-f]{32}"', f'nonce="{nonce}"', page)
    assert count == 2
    return page, {"Content-Security-Policy": policy}


def down(name):
    return lambda a: a.value("upstream_up", upstream=name) == 0


def test_the_script_runs_and_asks_again(tmp_path):
    need("chromium")
    config = upstream("app", f"http://127.0.0.1:{agent.free_port()}/")
    with agent.running(config, tmp_path) as a:
        a.wait_for(down("app"))
        dom = dom_after(f"http://127.0.0.1:{a.port}/", 11_000)
        assert '<html lang="en" class="js">' in dom
        assert 'id="stale" role="alert" hidden=""' in dom
        assert "1 of 1 target fails: app" in dom
        assert a.value("upstream_agent_http_requests_total", handler="/", code="200") >= 3


def test_fresh_figures_replace_the_old_ones(tmp_path):
    need("chromium")
    port = agent.free_port()
    old, policy = page_of(upstream("app", f"http://127.0.0.1:{port}/"), tmp_path, down("app"))
    new, _ = page_of(
        upstream("shop", f"http://127.0.0.1:{port}/"), tmp_path / "other", down("shop"))
    with repeating((old, policy), (200, new)) as (url, asked):
        dom = dom_after(url, 7_000)
    assert len(asked) >= 2
    assert "1 of 1 target fails: shop" in dom
    assert '">shop</h3>' in dom and '">app</h3>' not in dom
    assert "<title>(1) upstream-agent on " in dom


def test_old_figures_are_called_old(tmp_path):
    need("chromium")
    page, policy = page_of(
        upstream("app", f"http://127.0.0.1:{agent.free_port()}/"), tmp_path, down("app"))
    with repeating((page, policy), (503, "busy")) as (url, _):
        dom = dom_after(url, 7_000)
    assert re.search(r'role="alert">Old figures, of .+: the agent answers 503\.</div>', dom)
    assert '">app</h3>' in dom
    with repeating((page, policy), (200, "<p>a portal's log-in</p>")) as (url, _):
        dom = dom_after(url, 7_000)
    assert re.search(r'role="alert">Old figures, of .+: another page came\.</div>', dom)
    assert '">app</h3>' in dom


FINE = after_request(reply(b"200 OK", b"ok"))
FOCUSED = """(() => {
  const element = document.activeElement;
  const outline = getComputedStyle(element);
  return [element.tagName, element.ariaLabel || element.textContent,
          element.matches(':focus-visible') && outline.outlineStyle === 'solid'];
})()"""


def refreshed(page):
    """Waits until the figures are others."""
    now = page.value("document.getElementById('upstreams').dataset.now")
    page.wait_for(f"document.getElementById('upstreams').dataset.now !== '{now}'")


@contextlib.contextmanager
def opened(more=""):
    """A browser with the page of an agent whose upstream `app` is down and `fine` is up."""
    need("chromium")
    with tempfile.TemporaryDirectory() as folder, serving(FINE) as (_, port):
        config = (upstream("app", f"http://127.0.0.1:{agent.free_port()}/")
                  + upstream("fine", f"http://127.0.0.1:{port}/") + more)
        with agent.running(config, pathlib.Path(folder)) as a, tab() as page:
            a.wait_for(down("app"))
            a.wait_for(lambda a: a.value("upstream_up", upstream="fine") == 1)
            page.open(f"http://127.0.0.1:{a.port}/")
            yield page


def test_a_keyboard_is_enough():
    with opened() as page:
        seen = []
        for _ in range(7):
            page.press("Tab")
            seen.append(page.value(FOCUSED))
        assert [(name, text) for name, text, _ in seen[:6]] == [
            ("A", "Skip to the upstreams"), ("A", "metrics"), ("A", "JSON"), ("A", "configuration"),
            ("INPUT", "Show only upstreams that contain"), ("BUTTON", "Copy the command for app")]
        assert seen[6][0] == "SUMMARY" and seen[6][1].startswith("fine")
        assert all(visible for _, _, visible in seen)

        # A row opens, and it stays open and in focus when the figures are others.
        page.press("Enter")
        page.wait_for("document.querySelector('details').open")
        refreshed(page)
        assert page.value("document.querySelector('details').open")
        assert page.value(FOCUSED)[0] == "SUMMARY"

        # The skip link leads to the first thing that can be done.
        page.value("document.querySelector('.skip').focus()")
        page.press("Enter")
        page.wait_for("document.activeElement.id === 'upstreams'")
        refreshed(page)
        page.press("Tab")
        assert page.value(FOCUSED)[1] == "Copy the command for app"

        page.allow("clipboardReadWrite", "clipboardSanitizedWrite")
        page.press("Enter")
        page.wait_for("document.getElementById('said').textContent === 'The command is copied.'")
        command = page.value("document.querySelector('.cmd code').textContent")
        assert "ss -ltnp" in command
        assert page.value("navigator.clipboard.readText()") == command
        refreshed(page)
        assert page.value(FOCUSED)[1] == "Copy the command for app"
        assert page.value("document.getElementById('said').textContent") == ""

        page.press("/")
        page.type("connect_ref")
        page.wait_for("document.querySelectorAll('[data-find]:not([hidden])').length === 1")
        page.type(" no such thing")
        page.wait_for("!document.getElementById('nothing').hidden")
        page.press("Escape")
        page.wait_for("document.querySelectorAll('[data-find]:not([hidden])').length === 2")


def test_a_screen_reader_finds_names_and_landmarks():
    with opened() as page:
        found = page.accessible()
        for wanted in [
                ("banner", ""), ("navigation", "Other pages"), ("search", ""), ("main", ""),
                ("complementary", "This host"), ("contentinfo", ""), ("status", ""),
                ("searchbox", "Show only upstreams that contain"),
                ("region", "Failing (1)"), ("region", "Up (1)"), ("article", "app"),
                ("heading", "app"), ("button", "Copy the command for app"),
                ("table", "Times of the last probe"), ("rowheader", "total")]:
            assert wanted in found, wanted
        roles = [role for role, _ in found]
        assert roles.count("banner") == roles.count("main") == roles.count("contentinfo") == 1
        # Without a name these would be nothing but "button" or "image".
        for role, name in found:
            assert role not in ("button", "link", "searchbox", "image", "heading", "article",
                                "region", "table") or name, role
        drawings = [name for role, name in found if role == "image"]
        assert any("probes failed" in name for name in drawings), drawings


def test_the_reader_keeps_the_place_and_what_is_selected():
    answer = [reply(b"200 OK", b"ok")]
    with serving(lambda peer, stop: after_request(answer[0])(peer, stop)) as (_, port):
        more = upstream("zeta", f"http://127.0.0.1:{port}/")
        with opened(more) as page:
            page.wait_for("document.querySelectorAll('details').length === 2")
            page.wide(1000, 260)
            page.value("document.querySelector('details').scrollIntoView({block: 'end'})")
            page.value("document.querySelector('details summary').focus({preventScroll: true})")
            top = "document.querySelector('details').getBoundingClientRect().top"
            before = page.value(top)
            assert page.value("scrollY") > 0
            answer[0] = reply(b"500 Internal Server Error")
            # Another card comes in above, below that of `app`, which is in sight.
            page.wait_for("document.querySelectorAll('article').length === 2")
            assert abs(page.value(top) - before) <= 1
            assert page.value(FOCUSED)[1].startswith("fine")

            page.value("getSelection().selectAllChildren(document.querySelector('.cmd code'))")
            now = page.value("document.getElementById('upstreams').dataset.now")
            page.wait_for("!document.getElementById('stale').hidden")
            assert page.value("document.getElementById('stale').textContent").endswith(
                ": there are no new ones while text is selected.")
            assert page.value("document.getElementById('upstreams').dataset.now") == now
            page.value("getSelection().removeAllRanges()")
            page.wait_for("document.getElementById('stale').hidden")
            assert page.value("document.getElementById('upstreams').dataset.now") != now


def test_a_phone_is_wide_enough():
    with opened() as page:
        page.wide(390)
        page.wait_for("innerWidth === 390")
        page.value("document.querySelector('details').open = true")
        assert page.value("document.documentElement.scrollWidth") == 390
