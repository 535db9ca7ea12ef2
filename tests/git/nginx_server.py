#!/usr/bin/env python3
"""Debian's nginx before `git http-backend`, as forges run it. Prints its ports, serves until its input ends.

    nginx_server.py ROOT [CERTIFICATE KEY [CLIENT_CA]]

Serves the bare repositories under ROOT: /git/ to everybody, /basic/ to user `bot` with password `secret`, /bearer/ to
`Authorization: Bearer secret`, /certified/ to who shows a certificate of CLIENT_CA. /read/ is open for reading and asks
for `bot` to push. The first line it prints is its port.
"""
import base64
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(sys.argv[1])
TLS = sys.argv[2:4]
CLIENT_CA = sys.argv[4] if len(sys.argv) > 4 else None
BASIC = "Basic " + base64.b64encode(b"bot:secret").decode()

SITE = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
  access_log {folder}/access.log; client_max_body_size 64m; client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/fastcgi; proxy_temp_path {folder}/p; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_authorization $is_bot {{ default 0; "{basic}" 1; }}
  map $ssl_client_verify $certified {{ default 0; SUCCESS 1; }}
  map $http_authorization $is_bearer {{ default 0; "Bearer secret" 1; }}
  map "$uri $is_bot $is_bearer $certified $request_uri" $refused {{
    default 0;
    "~^/basic/.* 0 . . /" 1;
    "~^/bearer/.* . 0 . /" 1;
    "~^/certified/.* . . 0 /" 2;
    "~^/read/.* 0 . . .*git-receive-pack" 1;
  }}
  server {{
    listen 127.0.0.1:{port}{ssl};
    {certificates}
    location ~ ^/(?:git|basic|bearer|certified|read)(?<path>/.*)$ {{
      if ($refused = 1) {{ add_header WWW-Authenticate 'Basic realm="git"' always; return 401; }}
      if ($refused = 2) {{ return 403; }}
      fastcgi_pass unix:{folder}/fcgi;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_CONFIG_COUNT 2;
      fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
      fastcgi_param GIT_CONFIG_VALUE_0 *;
      fastcgi_param GIT_CONFIG_KEY_1 http.receivepack;
      fastcgi_param GIT_CONFIG_VALUE_1 true;
      fastcgi_param PATH_INFO $path;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param REMOTE_USER pusher;
      fastcgi_param REMOTE_ADDR $remote_addr;
    }}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def start_nginx(folder):
    """nginx takes no port zero, so somebody else may be faster; then another one."""
    for _ in range(10):
        port = free_port()
        certificates = ""
        if TLS:
            certificates = f"ssl_certificate {TLS[0]}; ssl_certificate_key {TLS[1]};"
        if CLIENT_CA:
            certificates += f" ssl_client_certificate {CLIENT_CA}; ssl_verify_client optional;"
        with open(folder + "/nginx.conf", "w") as out:
            out.write(SITE.format(folder=folder, port=port, root=ROOT, basic=BASIC, ssl=" ssl" if TLS else "",
                                  certificates=certificates, backend="/usr/lib/git-core/git-http-backend"))
        nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-c", folder + "/nginx.conf"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=open(folder + "/stderr", "w"))
        for _ in range(200):
            if nginx.poll() is not None:
                break
            if answers(port):
                return nginx, port
            time.sleep(0.02)
        nginx.kill()
        nginx.wait()
    raise SystemExit(open(folder + "/stderr").read())


folder = tempfile.mkdtemp(prefix="serin-nginx-")
fastcgi = subprocess.Popen(["/usr/sbin/fcgiwrap", "-f", "-c", "4", "-s", "unix:" + folder + "/fcgi"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    while not os.path.exists(folder + "/fcgi") and fastcgi.poll() is None:
        time.sleep(0.01)
    nginx, port = start_nginx(folder)
    print(port, flush=True)
    sys.stdin.read()
    nginx.terminate()
    nginx.wait()
finally:
    fastcgi.kill()
    shutil.rmtree(folder, ignore_errors=True)
