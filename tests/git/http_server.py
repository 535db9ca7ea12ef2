#!/usr/bin/env python3
"""A Git server over smart HTTP, and servers that misbehave. Prints its port, serves until its input ends.

    http_server.py ROOT [CERTIFICATE KEY]

The first part of the path says how: /git/ serves the repositories under ROOT through `git http-backend`;
/token/ does so for `Authorization: Basic x:secret` (and /bearer/ for `Bearer secret`, /installation/ for the newest
token of a GitHub App, which /api/ hands out); the others are in MISDEEDS.
Each request is a line in ROOT/requests.log.
"""
import base64
import http.server
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

ROOT = sys.argv[1]
STOP = threading.Event()
LOG = threading.Lock()


def stall(handler):
    STOP.wait()


def trickle(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
                        b"Content-Length: 1000000\r\n\r\n")
    handler.wfile.write(b"001e# service=git-upload-pack\n0000fff0")
    while not STOP.wait(0.05):
        handler.wfile.write(b"a")


def stall_pack(handler):
    """Lists honestly, then sends half of the pack and stops."""
    status, headers, body = handler.run_backend()
    if handler.command == "GET":
        return handler.answer(status, headers, body)
    handler.answer(status, headers + [("Content-Length", str(len(body)))], body[:len(body) // 2], length=False)
    STOP.wait()


def hang_up(handler):
    handler.connection.shutdown(2)


def after_push(handler):
    """Carries a push out and loses the answer."""
    status, headers, body = handler.run_backend()
    if handler.command == "POST" and "receive-pack" in handler.path:
        handler.connection.shutdown(2)
        return
    handler.answer(status, headers, body)


def reset_pack(handler):
    """Lists honestly, sends a third of the pack and resets the connection."""
    status, headers, body = handler.run_backend()
    if handler.command == "GET":
        return handler.answer(status, headers, body)
    handler.answer(status, headers + [("Content-Length", str(len(body)))], body[:len(body) // 3], length=False)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def wrong_ids(handler):
    """Lists commits that it does not have."""
    status, headers, body = handler.run_backend()
    handler.answer(status, headers, re.sub(rb"[0-9a-f]{39}([0-9a-f]) refs/", rb"beefbeefbeefbeefbeefbeefbeefbeefbeefbee\1 refs/",
                                           body))


def answer_push(body):
    """Reads honestly, and answers a push with `body` instead of carrying it out."""
    def misdeed(handler):
        if handler.command == "POST" and "receive-pack" in handler.path:
            handler.read_body()
            return handler.answer(200, [("Content-Type", "application/x-git-receive-pack-result")], body)
        return handler.answer(*handler.run_backend())
    return misdeed


def url_base64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def app_token(handler):
    """GitHub's API for installation tokens: of app 5, installation 7, with the key ROOT/app.pub."""
    handler.read_body()
    try:
        head, claims, signature = handler.headers["Authorization"].removeprefix("Bearer ").split(".")
        for name, content in [("signed", (head + "." + claims).encode()), ("signature", url_base64(signature))]:
            with open(os.path.join(ROOT, "jwt-" + name), "wb") as out:
                out.write(content)
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", ROOT + "/app.pub", "-signature", ROOT + "/jwt-signature",
                        ROOT + "/jwt-signed"], check=True, stdout=subprocess.DEVNULL)
        claims, now = json.loads(url_base64(claims)), time.time()
        assert json.loads(url_base64(head))["alg"] == "RS256" and claims["iss"] == "5", claims
        assert claims["iat"] <= now < claims["exp"] <= claims["iat"] + 600, claims
        assert handler.command == "POST" and handler.path == "/api/app/installations/7/access_tokens"
        assert handler.headers["Accept"] == "application/vnd.github+json"
    except Exception as error:  # whatever is wrong with it, the app is not let in
        return handler.answer(401, [], json.dumps({"message": "Bad credentials: %r" % error}).encode())
    CREDENTIALS["installation"] = "Basic " + base64.b64encode(b"x-access-token:ghs_%d" % time.time_ns()).decode()
    token = base64.b64decode(CREDENTIALS["installation"][6:]).decode().split(":")[1]
    ends = time.gmtime(now + int(open(ROOT + "/app-life").read()))
    handler.answer(201, [], json.dumps({"token": token, "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", ends)}).encode())


MISDEEDS = {
    "reset-pack": reset_pack,
    "wrong-ids": wrong_ids,
    "html-for-push": answer_push(b"<html>Welcome</html>"),
    "empty-report": answer_push(b"000eunpack ok\n0000"),
    "api": app_token,
    "stall": stall,
    "trickle": trickle,
    "stall-pack": stall_pack,
    "hang-up": hang_up,
    "lose-answer": after_push,
    "html": lambda handler: handler.answer(200, [("Content-Type", "text/html")], b"<html>Welcome</html>"),
    "unauthorized": lambda handler: handler.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b""),
    "forbidden": lambda handler: handler.answer(403, [], b""),
    "broken": lambda handler: handler.answer(500, [], b""),
    "redirect": lambda handler: handler.answer(
        302, [("Location", "http://localhost:%d/git/%s" % (handler.server.server_port, handler.path.split("/", 2)[2]))],
        b""),
}
CREDENTIALS = {"installation": "", "token": "Basic " + base64.b64encode(b"x:secret").decode(), "bearer": "Bearer secret"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body, length=True):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def run_backend(self):
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": ROOT, "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command,
            "PATH_INFO": "/" + path.split("/", 2)[2], "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": "tester", "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        output = subprocess.run(["git", "-c", "safe.directory=*", "http-backend"], input=self.read_body(),
                                stdout=subprocess.PIPE, env=environment, check=False).stdout
        head, _, body = output.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        return status, [(name, value) for name, value in headers if name != "Status"], body

    def serve(self):
        with LOG, open(os.path.join(ROOT, "requests.log"), "a") as log:
            log.write("%s %s\n" % (self.command, self.path))
        how = self.path.split("/")[1]
        if how in CREDENTIALS and self.headers.get("Authorization") != CREDENTIALS[how]:
            return MISDEEDS["unauthorized"](self)
        try:
            MISDEEDS[how](self) if how in MISDEEDS else self.answer(*self.run_backend())
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_GET = serve
    do_POST = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # a client that refuses our certificate


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
STOP.set()
