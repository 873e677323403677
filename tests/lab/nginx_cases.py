# SPDX-License-Identifier: Apache-2.0
"""Configurations of nginx, each of which says how a visitor's request is passed on."""
from typing import NamedTuple


class Case(NamedTuple):
    """In the texts, @ip and @ip2 are addresses of the servers, @name a name of @ip, @unix a socket
    and @front what the visitor asks for."""

    name: str
    location: str = ""       # in `location /`
    server: str = ""         # beside it
    http: str = ""           # beside the server
    server_name: str = "@front"
    listen: str = "80"
    paths: tuple = ("/",)    # that the visitor asks for
    note: str = ""           # what the agent must say, after the place
    missing: tuple = ()      # parts of what nginx asks that no probe can ask
    down: bool = False       # nginx answers 502
    connects: bool = False   # no request can be probed, a connect is
    status: int = 204


HTTP = [
    Case("ip", "proxy_pass http://@ip;"),
    Case("port", "proxy_pass http://@ip:8080;"),
    Case("default_port_written", "proxy_pass http://@ip:80;"),
    Case("https", "proxy_pass https://@ip;"),
    Case("https_port", "proxy_pass https://@ip:8443;"),
    Case("https_written_port", "proxy_pass https://@ip:443;"),
    Case("scheme_in_capitals", "proxy_pass HTTPS://@ip;"),
    Case("name", "proxy_pass http://@name:8080;"),
    Case("name_in_capitals", "proxy_pass http://NAME-in-Capitals.Test;"),
    Case("ipv6", "proxy_pass http://[@v6]:8080;"),
    Case("ipv6_default", "proxy_pass http://[@v6];"),
    Case("uri", "proxy_pass http://@ip/base/;"),
    Case("uri_query", "proxy_pass http://@ip/d?token=1;", paths=("/?",)),
    Case("quoted", "proxy_pass \"http://@ip:81/a\";"),
    Case("unix", "proxy_pass http://@unix;"),
    Case("unix_uri", "proxy_pass http://@unix:/u/;"),
    Case("unix_https", "proxy_pass https://@unix:/u/;", missing=("unix",),
         note="proxy_pass https://@unix:/u/ is TLS over a Unix socket, for which there is no probe"),
    Case("block", "proxy_pass http://block_up;",
         http="upstream block_up { server @ip; server @ip2:8080; }"),
    Case("block_https", "proxy_pass https://block_https_up;",
         http="upstream block_https_up { server @ip; }"),
    Case("block_case", "proxy_pass http://BLOCK_CASE_UP/x;",
         http="upstream Block_Case_Up { server @ip; }"),
    Case("block_unix", "proxy_pass http://block_unix_up;",
         http="upstream block_unix_up { server @unix; server @ip:81; }"),
    Case("block_unix_https", "proxy_pass https://block_unix_https_up;",
         http="upstream block_unix_https_up { server @unix; server @ip:443; }", missing=("unix",),
         note="proxy_pass https://block_unix_https_up is TLS over a Unix socket, for which there is "
              "no probe"),
    Case("block_options", "proxy_pass http://block_options_up;",
         http="upstream block_options_up { zone z 64k; least_conn; keepalive 4;"
              " server @ip weight=2 max_fails=3 fail_timeout=3s; server @ip2:81 down; }",
         note="server @ip2:81 is marked down"),
    Case("block_backup", "proxy_pass http://block_backup_up;",
         http="upstream block_backup_up { server @ip:9 max_fails=0; server @ip2:81 backup; }"),
    Case("block_names", "proxy_pass http://block_names_up;",
         http="upstream block_names_up { server @name:8080; server @name; }"),
    Case("host_host", "proxy_pass http://@ip; proxy_set_header Host $host;"),
    Case("host_http_host", "proxy_pass http://@ip; proxy_set_header Host $http_host;"),
    Case("host_http_host_port", "proxy_pass http://@ip; proxy_set_header Host $http_host;",
         listen="8080"),
    Case("host_http_host_tls", "proxy_pass http://@ip; proxy_set_header Host $http_host;",
         listen="443 ssl"),
    Case("host_http_host_tls_port", "proxy_pass http://@ip; proxy_set_header Host $http_host;",
         listen="8443 ssl"),
    Case("host_and_port", "proxy_pass http://@ip; proxy_set_header Host $host:$server_port;",
         listen="8080"),
    Case("host_braces", "proxy_pass http://@ip; proxy_set_header Host \"${host}:8443\";"),
    Case("host_proxy", "proxy_pass http://@ip:8080; proxy_set_header Host $proxy_host;"),
    Case("host_proxy_port", "proxy_pass http://@ip:8080; "
         "proxy_set_header Host $server_name:$proxy_port;"),
    Case("host_proxy_port_default", "proxy_pass https://@ip; "
         "proxy_set_header Host $proxy_host:$proxy_port;"),
    Case("host_fixed", "proxy_pass http://@ip; proxy_set_header host App.Example;"),
    Case("host_of_the_server", "proxy_pass http://@ip;", server="proxy_set_header Host $host;"),
    Case("host_lost", "proxy_pass http://@ip; proxy_set_header X-Real-IP $remote_addr;",
         server="proxy_set_header Host $host;"),
    Case("host_set", "set $h a.example; proxy_set_header Host $h; proxy_pass http://@ip;"),
    Case("host_dot", "proxy_pass http://@ip; proxy_set_header Host $host;", server_name=".@front"),
    Case("host_dot_server_name", "proxy_pass http://@ip; proxy_set_header Host $server_name;",
         server_name=".@front"),
    Case("host_star_server_name", "proxy_pass http://@ip; proxy_set_header Host $server_name;",
         server_name="*.@front @front"),
    Case("host_second_name", "proxy_pass http://@ip; proxy_set_header Host $host;",
         server_name="*.@front @front"),
    Case("host_capitals", "proxy_pass http://@ip; proxy_set_header Host $server_name;",
         server_name="FRONT.Host-Capitals.Test"),
    Case("host_unix", "proxy_pass http://@unix; proxy_set_header Host $proxy_host;"),
    Case("host_map", "proxy_pass http://@ip; proxy_set_header Host $host_map_h;",
         http="map $host $host_map_h { default a.example; }"),
    Case("host_map_own", "proxy_pass http://@ip; proxy_set_header Host $host_map_own_h;",
         http="map $host $host_map_own_h { @front b.example; default a.example; }"),
    Case("host_map_default", "proxy_pass http://@ip; proxy_set_header Host $host_map_default_h;",
         http="map $http_host $host_map_default_h { '' a.example; default $http_host; }",
         listen="8080"),
    Case("host_map_set", "proxy_pass http://@ip; proxy_set_header Host $host_map_set_h;",
         http="map $host $host_map_set_h { default a.example; }",
         server="set $host_map_set_h b.example;"),
    Case("sni_off", "proxy_pass https://@name;"),
    Case("sni", "proxy_pass https://@name; proxy_ssl_server_name on;"),
    Case("sni_ip", "proxy_pass https://@ip; proxy_ssl_server_name on;"),
    Case("sni_block", "proxy_pass https://sni-block.test; proxy_ssl_server_name on;",
         http="upstream sni-block.test { server @ip:443; }"),
    Case("sni_name", "proxy_pass https://@ip; proxy_ssl_server_name on; proxy_ssl_name b.example;"),
    Case("sni_host", "proxy_pass https://@ip:8443; proxy_set_header Host $host;"
         " proxy_ssl_name $host;", server="proxy_ssl_server_name on;"),
    Case("sni_name_port", "proxy_pass https://@ip; proxy_ssl_server_name on;"
         " proxy_ssl_name b.example:8443;"),
    Case("sni_proxy_host", "proxy_pass https://@name:8443; proxy_ssl_server_name on;"
         " proxy_ssl_name $proxy_host;"),
    Case("verify_good", "proxy_pass https://@ip; proxy_ssl_verify on; proxy_ssl_name localhost;"
         " proxy_ssl_server_name on; proxy_ssl_trusted_certificate certs/ca.pem;"),
    Case("verify_other_name", "proxy_pass https://@ip; proxy_ssl_verify on;"
         " proxy_ssl_server_name on; proxy_ssl_name other.example;"
         " proxy_ssl_trusted_certificate certs/ca.pem;", down=True, status=502),
    Case("verify_other_ca", "proxy_pass https://@ip; proxy_ssl_verify on;"
         " proxy_ssl_server_name on; proxy_ssl_name localhost;"
         " proxy_ssl_trusted_certificate certs/self_signed.pem;", down=True, status=502),
    Case("refused", "proxy_pass http://@ip:9;", down=True, status=502),
    Case("variable", "set $up @ip; proxy_pass http://$up:8080;"),
    Case("variable_block", "set $up variable_block_up; proxy_pass http://$up;",
         http="upstream variable_block_up { server @ip:81; }"),
    Case("variable_of_the_server", "proxy_pass http://$up:81/x;", server="set $up @ip;"),
    Case("variable_uri", "set $up @ip; proxy_pass http://$up$request_uri;"),
    Case("variable_scheme", "proxy_pass $scheme://@ip:8080;"),
    Case("variable_map", "proxy_pass http://$variable_map_up;",
         http="map $connection_requests $variable_map_up { default @ip:81; 1 @ip2:8080; }"),
    Case("variable_of_the_visitor", "proxy_pass http://$arg_to;", paths=("/?to=@ip",),
         missing=("",), note="proxy_pass http://$arg_to holds a variable that is known at run time "
                             "only"),
    Case("own_resolver", "set $up x.consul; proxy_pass http://$up;", missing=("",), down=True,
         server="resolver 127.0.0.1:8600; resolver_timeout 1s;", status=502,
         note="proxy_pass http://$up has a name that a resolver of nginx's own knows, which no "
              "probe asks"),
    Case("geo", "proxy_pass http://$geo_up;",
         http="geo $geo_up { default @ip:81; proxy 192.0.2.1; }"),
    Case("locations", "proxy_pass http://locations_up;",
         http="upstream locations_up { server @ip; }",
         server="location /c { proxy_pass http://locations_up/c; }"
                " location /d/ { proxy_pass http://locations_up/e/; }", paths=("/", "/c", "/d/")),
    Case("nested_location", "location /a { proxy_pass http://@ip/; proxy_set_header Host a; }"
         " proxy_pass http://@ip2;", paths=("/", "/a")),
    Case("named_location", "try_files /none @app;",
         server="location @app { proxy_pass http://@ip; }"),
    Case("sub_request", "auth_request /auth; proxy_pass http://@ip;",
         server="location = /auth { internal; proxy_pass http://@ip:81/check;"
                " proxy_set_header Host auth.example; }"),
    Case("if", "if ($connection_requests = 1) { proxy_pass http://@ip2; } proxy_pass http://@ip;"),
    Case("included", "include snippets/proxy.conf; proxy_pass http://@ip;"),
    Case("crlf", "\r\nproxy_pass\r\nhttp://@ip:81\r\n;\r\n# a } comment\r\n"),
    Case("braces", "proxy_pass http://@ip;",
         server="location ~ \"^/[a-z]{3}$\" { return 204; } location ~ ^/\\{x { return 200 '}'; }"),
    Case("lua", "proxy_pass http://@ip;",
         server="location /lua { content_by_lua_block {\n"
                " ngx.say(\"} proxy_pass http://evil;\") -- } it's }\n"
                " ngx.say([[ } ]], '\\'}') --[==[ } ]==]\n } }"),
    Case("lua_first", "access_by_lua_block { local x = { '}' } } proxy_pass http://@ip:81;"),
    Case("grpc", "grpc_pass grpc://@ip:8080;", connects=True, status=502),
    Case("grpc_tls", "grpc_pass grpcs://grpc_up;", http="upstream grpc_up { server @ip:8443; }",
         connects=True, status=502),
    Case("fastcgi", "fastcgi_pass @ip:8080;", connects=True, status=502),
    Case("fastcgi_unix", "fastcgi_pass @unix;", connects=True, status=502),
    Case("fastcgi_block", "fastcgi_pass fastcgi_up;", connects=True, status=502,
         http="upstream fastcgi_up { server @ip; }"),
    Case("uwsgi", "uwsgi_pass uwsgi://@ip:8080;", connects=True, status=502),
    Case("scgi", "scgi_pass @ip:8080;", connects=True, status=502),
    Case("memcached", "set $memcached_key k; memcached_pass @ip:8080;", connects=True, status=502),
]


class StreamCase(NamedTuple):
    name: str
    text: str
    asked: bool = True
    note: str = ""


STREAM = [
    StreamCase("stream", "server { listen @front; proxy_pass @ip:81; }"),
    StreamCase("stream_block", "upstream block_up { server @ip:8080; }"
               " server { listen @front; proxy_pass BLOCK_UP; }"),
    StreamCase("stream_unix", "server { listen @front; proxy_pass @unix; }"),
    StreamCase("stream_udp", "upstream stream_udp_up { server @ip:81; }"
               " server { listen @front udp; proxy_pass stream_udp_up; }", False,
               "proxy_pass stream_udp_up is reached by UDP, for which there is no probe"),
    StreamCase("stream_range", "server { listen @front-81; proxy_pass @ip:$server_port; }", False,
               "proxy_pass @ip:$server_port holds a variable that is known at run time only"),
    StreamCase("stream_map", "map $remote_addr $stream_map_to { default @ip:81; }"
               " server { listen @front; proxy_pass $stream_map_to; }"),
]
