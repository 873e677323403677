# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: its script runs under the page's own policy, keeps the figures
fresh, and says so where it cannot."""
import contextlib
import http.server
import re
import threading

from tests.lab import agent
from tests.lab.agent import upstream
from tests.lab.browser import dom_after
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
    assert "<h3>shop</h3>" in dom and "<h3>app</h3>" not in dom
    assert "<title>(1) upstream-agent</title>" in dom


def test_old_figures_are_called_old(tmp_path):
    need("chromium")
    page, policy = page_of(
        upstream("app", f"http://127.0.0.1:{agent.free_port()}/"), tmp_path, down("app"))
    with repeating((page, policy), (503, "busy")) as (url, _):
        dom = dom_after(url, 7_000)
    assert re.search(r'role="alert">Old figures: the agent answers 503 since .+\.</div>', dom)
    assert "<h3>app</h3>" in dom
    with repeating((page, policy), (200, "<p>a portal's log-in</p>")) as (url, _):
        dom = dom_after(url, 7_000)
    assert re.search(r'role="alert">Old figures: another page came since .+\.</div>', dom)
    assert "<h3>app</h3>" in dom
