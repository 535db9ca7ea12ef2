"""One kept-alive connection to an API server, as plain as it gets: bytes out, bytes in. No library in between, so that
what is measured over it is the server."""
import base64
import json
import socket
import ssl
import tempfile
from urllib.parse import urlsplit

import yaml


class Server:
    """Where an API server is and what it wants to see, from a kubeconfig's current context."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(open(kubeconfig))
        named = lambda kind, name: next(e for e in config[kind + "s"] if e["name"] == name)[kind] or {}
        context = named("context", config["current-context"])
        cluster, user = named("cluster", context["cluster"]), named("user", context["user"])
        address = urlsplit(cluster["server"])
        self.host, self.port = address.hostname, address.port or 443
        self.headers = f"Host: {self.host}:{self.port}\r\n"
        if "token" in user:
            self.headers += f"Authorization: Bearer {user['token']}\r\n"
        self.tls = None
        if address.scheme == "https":
            self.tls = ssl.create_default_context(cafile=cluster.get("certificate-authority"),
                                                  cadata=self._text(cluster, "certificate-authority-data"))
            if "client-certificate-data" in user or "client-certificate" in user:
                self.tls.load_cert_chain(self._file(user, "client-certificate"), self._file(user, "client-key"))

    @staticmethod
    def _text(entry, key):
        return base64.b64decode(entry[key]).decode() if key in entry else None

    def _file(self, entry, key):
        if key in entry:
            return entry[key]
        with tempfile.NamedTemporaryFile("w", delete=False) as out:
            out.write(self._text(entry, key + "-data"))
        return out.name

    def message(self, method, path, body=None, content_type="application/json"):
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self.headers}Accept: application/json\r\nUser-Agent: bench\r\n"
        if body is not None:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(data)}\r\n"
        return head.encode() + b"\r\n" + data


class Connection:
    def __init__(self, server):
        self.server = server
        self.connect()

    def connect(self):
        server = self.server
        plain = socket.create_connection((server.host, server.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = server.tls.wrap_socket(plain, server_hostname=server.host) if server.tls else plain

    def exchange(self, message):
        """The status and the body of the answer to one prepared message."""
        self.socket.sendall(message)
        seen = self._more(b"")
        while b"\r\n\r\n" not in seen:
            seen = self._more(seen)
        head, _, body = seen.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            while not body.endswith(b"0\r\n\r\n"):
                body = self._more(body)
            body = self._joined(body)
        elif b"content-length:" in lower:
            length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                body = self._more(body)
        return int(head[9:12]), body

    def _more(self, seen):
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionError("the API server closed the connection")
        return seen + more

    @staticmethod
    def _joined(chunked):
        out, rest = b"", chunked
        while True:
            size, _, rest = rest.partition(b"\r\n")
            count = int(size, 16)
            if count == 0:
                return out
            out, rest = out + rest[:count], rest[count + 2:]

    def call(self, method, path, body=None, content_type="application/json"):
        """The answer as JSON, None when there is no such object; anything else that is no success is an error."""
        message = self.server.message(method, path, body, content_type)
        try:
            status, text = self.exchange(message)
        except ConnectionError:  # a server ends a connection on which nothing was asked for long
            if method != "GET":
                raise
            self.connect()
            status, text = self.exchange(message)
        if status == 404:
            return None
        if not 200 <= status <= 299:
            raise RuntimeError(f"{method} {path}: {status} {text[:300]}")
        return json.loads(text) if text else {}
