# SPDX-License-Identifier: Apache-2.0
"""`check` on configurations of nginx as people have them, and on files that nginx refuses.

Each is mounted at /etc/nginx. nginx itself says whether it takes it; the agent must end, say what it
could not read or tell, and show no secret.
"""
import os
import re
import subprocess
from typing import NamedTuple

import pytest

from tests.lab import agent
from tests.lab.namespaces import namespaces

LUA = "/usr/lib/nginx/modules/ngx_http_lua_module.so"
TOP = "pid @/pid; error_log stderr; events { }\n"
SERVER = "server { listen 8080; location / { proxy_pass http://127.0.0.1:81; } }\n"


class Case(NamedTuple):
    name: str
    files: dict        # name -> content; None: a FIFO
    found: str         # "1 upstreams, 1 targets"
    notes: tuple = ()  # what is said besides, @ being /etc/nginx
    good: bool = False  # whether nginx takes it


def wordpress():
    return {
        "nginx.conf": TOP + "http { include mime.types; include sites-enabled/*; }",
        "mime.types": "types { text/html html htm; }",
        "snippets/php.conf": "fastcgi_split_path_info ^(.+?\\.php)(/.*)$;\n"
                             "fastcgi_param PASSWORD \"hunter2;}{\";\nfastcgi_pass php;",
        "sites-enabled/blog": r'''
upstream php { server unix:/run/php/php8.2-fpm.sock; server 127.0.0.1:9000 backup; }
map $sent_http_content_type $expires { default off; text/html epoch; ~image/ max; }
server { listen 8080; server_name blog.example; return 301 https://blog.example$request_uri; }
server {
  listen 8081; server_name blog.example www.blog.example; root /var/www; index index.php;
  expires $expires; set $skip 0;
  if ($request_uri ~* "/wp-admin/|/xmlrpc.php|sitemap(_index)?.xml") { set $skip 1; }
  location / { try_files $uri $uri/ /index.php?$args; }
  location ~ \.php$ { include snippets/php.conf; }
  location ~* \.(?:css|js|woff2?)$ { add_header X "a;b}"; }
  location ~ "^/[a-z]{2}/$" { proxy_pass http://127.0.0.1:6081; }
  location /search/ { proxy_pass http://127.0.0.1:9200/_search?apikey=hunter2; }
}''',
    }


def ingress():
    """20 000 lines as a controller generates them."""
    servers = "".join(f'''
server {{
  server_name app{i}.example;
  listen 8080;
  set $proxy_upstream_name "-";
  location / {{
    set $namespace "default";
    set $service_name "app{i}";
    rewrite_by_lua_block {{
      lua_ingress.rewrite({{
        force_ssl_redirect = false, -- it's so
      }})
      balancer.rewrite("}}")
    }}
    log_by_lua_block {{
      balancer.log()
    }}
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_connect_timeout 5s;
    proxy_pass http://upstream_balancer;
  }}
  location /metrics {{
    proxy_set_header Host $host;
    proxy_pass http://10.1.{i // 250}.{i % 250 + 1}:9100;
  }}
}}''' for i in range(800))
    return {"nginx.conf": "".join(
        f"load_module /usr/lib/nginx/modules/{name}_module.so;\n" for name in ("ndk_http",
                                                                             "ngx_http_lua")) +
        TOP + "http { server_names_hash_max_size 16384; server_names_hash_bucket_size 256;\n"
        "upstream upstream_balancer { server 0.0.0.1;\n balancer_by_lua_block {\n return {} \n } }\n"
        + servers + "}"}


LOOP = {"nginx.conf": TOP + "http { include a.conf; " + SERVER + "}",
        "a.conf": "include b.conf;", "b.conf": "include a.conf;\nserver { listen 8081; "
                                               "location / { proxy_pass http://127.0.0.1:82; } }"}

CASES = [
    Case("wordpress", wordpress(), "3 upstreams, 4 targets", good=True),
    Case("ingress", ingress(), "800 upstreams, 800 targets", good=True,
         notes=("@/nginx.conf:6: Lua chooses the servers of upstream_balancer at run time",)),
    Case("windows_line_ends", {"nginx.conf": (TOP + "http { " + SERVER + "}\n").replace("\n", "\r\n")},
         "1 upstreams, 1 targets", good=True),
    Case("include_loop", LOOP, "2 upstreams, 2 targets", ("@/a.conf: includes itself",)),
    Case("include_gone", {"nginx.conf": TOP + "http { include gone.conf; " + SERVER + "}"},
         "1 upstreams, 1 targets", ("cannot open @/gone.conf: No such file or directory",)),
    Case("include_of_everything", {
        "nginx.conf": TOP + "http { include conf.d/*; }", "conf.d/a.conf": SERVER,
        "conf.d/fifo": None, "conf.d/passwords": "alice:$apr1$hunter2\nbob:hunter2\n",
        "conf.d/folder/b.conf": SERVER, "conf.d/large": "#" * (5 << 20)},
         "1 upstreams, 1 targets",
         ("@/conf.d/fifo is not a regular file", "@/conf.d/folder is not a regular file",
          "@/conf.d/large is larger than 4194304 bytes",
          "@/conf.d/passwords:1: a directive is not ended by ';'")),
    Case("byte_order_mark", {"nginx.conf": "\ufeff" + TOP + "http { " + SERVER + "}"},
         "1 upstreams, 1 targets",
         ("@/nginx.conf:1: begins with a byte order mark, which nginx refuses",)),
    Case("brace_missing", {"nginx.conf": TOP + "http {\nserver { listen 8080;\n"
                           "location / { proxy_pass http://127.0.0.1:81; }\n" + SERVER + "}"},
         "1 upstreams, 1 targets", ("@/nginx.conf:2: a block is not closed",)),
    Case("brace_too_many", {"nginx.conf": TOP + "http {\n" + SERVER + "}\n}\n"},
         "1 upstreams, 1 targets", ("@/nginx.conf:5: '}' without '{'",)),
    Case("semicolon_missing", {"nginx.conf": TOP + "http { server {\nlocation / {\n"
                               "proxy_pass http://127.0.0.1:81/?key=hunter2\n} }\n" + SERVER + "}"},
         "1 upstreams, 1 targets", ("@/nginx.conf:4: a directive is not ended by ';'",)),
    Case("quote_missing", {"nginx.conf": TOP + "http { " + SERVER + "server {\n"
                           "set $a \"hunter2;\nproxy_pass http://127.0.0.1:82; } }"},
         "1 upstreams, 1 targets",
         ("@/nginx.conf:4: a quote that begins here is not closed; the rest is left out",)),
    Case("credentials", {"nginx.conf": TOP + "http { server { location / {\n"
                         "proxy_pass http://alice:hunter2@127.0.0.1:81/?key=hunter2; } } }"},
         "0 upstreams, 0 targets",
         ("@/nginx.conf:3: proxy_pass http://***@127.0.0.1:81/?... holds credentials, which nginx "
          "does not take there",)),
    Case("ports", {"nginx.conf": TOP + "http { server { location /a {\n"
                   "proxy_pass http://a:99999; } location /b {\nproxy_pass http://a:x; } } }"},
         "0 upstreams, 0 targets",
         ("@/nginx.conf:3: http://a:99999/: a port is a number from 1 to 65535, not '99999'",
          "@/nginx.conf:4: http://a:x/: a port is a number from 1 to 65535, not 'x'")),
    Case("empty", {"nginx.conf": ""}, "0 upstreams, 0 targets"),
    Case("no_nginx", {"mime.types": ""}, "0 upstreams, 0 targets"),
]


def notes_of(checked):
    """What `check` says of discovery, without the targets that it lists."""
    return [line for line in checked.splitlines() if line.startswith("discovery: ")]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            os.mkfifo(path)
        else:
            path.write_bytes(text.replace("@/", f"{folder}/").encode())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_files_of_nginx(case, tmp_path):
    if not os.path.exists("/usr/sbin/nginx"):
        pytest.skip("nginx is not installed")
    if "lua" in case.files.get("nginx.conf", "") and not os.path.exists(LUA):
        pytest.skip(f"{LUA} is not installed")
    write(tmp_path, case.files)
    with namespaces({tmp_path: "/etc/nginx"}) as prefix:
        if None not in case.files.values():  # which nginx waits for
            tried = run(*prefix, "/usr/sbin/nginx", "-t")
            assert (tried.returncode == 0) == case.good, tried.stderr
        done = run(*prefix, agent.binary(), "check")
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert notes_of(done.stdout) == ["discovery: " + note.replace("@/", "/etc/nginx/") for note in case.notes]
    assert f": {case.found}, memory bound" in last
    assert "hunter2" not in done.stdout + done.stderr


def test_files_that_the_agent_may_not_read(tmp_path):
    write(tmp_path, {"nginx.conf": TOP + "http { include conf.d/*.conf; " + SERVER + "}",
                     "conf.d/a.conf": SERVER})

    def check():
        with namespaces({tmp_path: "/etc/nginx"}) as prefix:
            done = run(*prefix, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                       agent.binary(), "check")
        assert done.returncode == 0, done.stderr
        return notes_of(done.stdout)

    tmp_path.chmod(0o755)
    (tmp_path / "conf.d/a.conf").chmod(0)
    assert check() == ["discovery: cannot open /etc/nginx/conf.d/a.conf: Permission denied"]
    (tmp_path / "conf.d").chmod(0)
    assert check() == ["discovery: /etc/nginx/nginx.conf:2: /etc/nginx/conf.d cannot be listed"]
    (tmp_path / "nginx.conf").chmod(0)
    assert check() == ["discovery: cannot open /etc/nginx/nginx.conf: Permission denied"]


def test_the_example_in_the_documentation(tmp_path):
    text = (agent.ROOT / "packaging/doc/discovery.md").read_text()
    example = re.search(r"```nginx\n(.*?)```", text, re.S)[1]
    notes = re.search(r"```text\n(.*?)```", text, re.S)[1].splitlines()
    rows = re.findall(r"^\| `([^`]*)` \| `([^`]*)` \|.*\|.*\|$", text, re.M)
    etc = tmp_path / "nginx"
    write(etc, {"nginx.conf": "http { " + example + "}"})
    config = "[discovery]\nnginx = true\n[defaults]\ninterval = \"7s\"\n"
    with namespaces({etc: "/etc/nginx"}) as prefix:
        done = run(*prefix, agent.binary(), "check")
        assert notes_of(done.stdout) == ["discovery: " + note for note in notes]
        with agent.running(config, tmp_path, prefix) as a:
            metrics = a.metrics()
    series = metrics["upstream_info"]
    assert {(one["upstream"], one["target"]) for one, _ in series} == set(rows)
    assert len(series) == 6
    assert {value for _, value in metrics["upstream_probe_interval_seconds"]} == {7}
