"""A small server that speaks the hub's protocol, as far as a model is fetched and published.

POST /api/repos/create                                        a repository
GET  /api/models/OWNER/NAME/revision/REVISION                 commit and files
HEAD, GET /OWNER/NAME/resolve/REVISION/FILE                   a file; large ones are elsewhere, by sha256
POST /api/models/OWNER/NAME/preupload/REVISION                which files are large
POST /OWNER/NAME.git/info/lfs/objects/batch, PUT /lfs/SHA256  large files
POST /api/models/OWNER/NAME/commit/REVISION                   a commit, as lines of JSON
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_only_for_tests"


@dataclass
class Repository:
    """Commits by their hash, each with its files, and where branches stand."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        """Add a commit with these files beside those that are there."""
        before = self.commits.get(self.refs.get(branch, ""), {})
        whole = {**before, **files}
        text = repr((self.refs.get(branch), sorted(whole.items())))
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha], self.refs[branch] = whole, sha
        return sha

    def at(self, revision: str) -> str:
        """Return the commit of a branch, a tag or a commit; "" where there is none."""
        return self.refs.get(revision, revision if revision in self.commits else "")


class Hub:
    """What the server holds, what was asked of it, and how it misbehaves."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.address = ""
        self.elsewhere = ""  # another host, from which large files come
        self.trouble = 0  # an HTTP status, in place of every answer
        self.tampered: dict[str, bytes] = {}  # other bytes, by sha256

    def put(self, repository: str, files: dict[str, bytes], branch: str = "main") -> str:
        """Put files into a repository, and return the commit."""
        return self.repositories.setdefault(repository, Repository()).commit(files, branch)


def is_large(name: str) -> bool:
    return name.endswith(".safetensors")


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._begin()
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/lfs/"):
            sha = path.removeprefix("/lfs/")
            return self._send(200, self.hub.tampered.get(sha, self.hub.large.get(sha, b"")))
        if path.startswith("/api/models/"):
            return self._info(path.removeprefix("/api/models/"))
        if "/resolve/" not in path:
            return self._send(404, b"{}")
        return self._resolve(path.lstrip("/"))

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        self._begin()
        data = self._body()
        sha = self.path.removeprefix("/lfs/")
        assert hashlib.sha256(data).hexdigest() == sha
        self.hub.large[sha] = data
        self._send(200, b"")

    def do_POST(self) -> None:
        self._begin()
        data = self._body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and self.path != "/api/validate-yaml":
            return self._send(401, b"{}", **{"X-Error-Message": "Invalid credentials"})
        path = unquote(urlsplit(self.path).path)
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self._create(json.loads(data))
        if path.endswith("/info/lfs/objects/batch"):
            return self._batch(json.loads(data))
        _, _, _, owner, name, what, *revision = path.split("/")
        repository = self.hub.repositories.get(f"{owner}/{name}")
        if repository is None:
            return self._missing("RepoNotFound")
        if what == "preupload":
            return self._json({"files": [self._mode(f) for f in json.loads(data)["files"]]})
        return self._commit(repository, f"{owner}/{name}", "/".join(revision), data)

    def _begin(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(self, code: int, body: bytes, **headers: str) -> None:
        code = self.hub.trouble or code
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def _missing(self, code: str) -> None:
        self._send(404, b"{}", **{"X-Error-Code": code, "X-Error-Message": code})

    def _info(self, path: str) -> None:
        owner, name, *rest = path.split("/")
        repository = self.hub.repositories.get(f"{owner}/{name}")
        if repository is None:
            return self._missing("RepoNotFound")
        commit = repository.at("/".join(rest[1:]) if rest else "main")
        if not commit:
            return self._missing("RevisionNotFound")
        files = repository.commits[commit]
        siblings = [
            {"rfilename": name, "size": len(data), **self._lfs(name, data)} for name, data in files.items()
        ]
        return self._json({"id": f"{owner}/{name}", "modelId": f"{owner}/{name}", "sha": commit,
                           "private": False, "tags": [], "siblings": siblings})  # fmt: skip

    def _lfs(self, name: str, data: bytes) -> dict[str, Any]:
        if not is_large(name):
            return {}
        return {"lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}}

    def _resolve(self, path: str) -> None:
        owner, name, _, rest = path.split("/", 3)
        repository = self.hub.repositories.get(f"{owner}/{name}")
        if repository is None:
            return self._missing("RepoNotFound")
        revision = next((r for r in (*repository.refs, *repository.commits) if rest.startswith(f"{r}/")), "")
        commit = repository.at(revision)
        if not commit:
            return self._missing("RevisionNotFound")
        file = rest.removeprefix(f"{revision}/")
        data = repository.commits[commit].get(file)
        if data is None:
            return self._missing("EntryNotFound")
        sha = hashlib.sha256(data).hexdigest()
        if not is_large(file):
            return self._send(200, data, **{"X-Repo-Commit": commit, "ETag": f'"{sha[:40]}"'})
        self.hub.large[sha] = data
        return self._send(302, b"", **{
            "X-Repo-Commit": commit, "X-Linked-ETag": f'"{sha}"', "X-Linked-Size": str(len(data)),
            "Location": f"{self.hub.elsewhere}/lfs/{sha}",
        })  # fmt: skip

    def _create(self, said: dict[str, Any]) -> None:
        name = f"{said.get('organization') or 'someone'}/{said['name']}"
        if name in self.hub.repositories:
            return self._send(
                409, json.dumps({"error": "exists", "url": f"{self.hub.address}/{name}"}).encode()
            )
        self.hub.put(name, {".gitattributes": b"*.safetensors filter=lfs\n"})
        return self._json({"url": f"{self.hub.address}/{name}"})

    def _mode(self, file: dict[str, Any]) -> dict[str, Any]:
        mode = "lfs" if is_large(file["path"]) else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}

    def _batch(self, said: dict[str, Any]) -> None:
        objects = [
            {**each, "authenticated": True,
             "actions": {"upload": {"href": f"{self.hub.address}/lfs/{each['oid']}", "header": {}}}}
            for each in said["objects"]
        ]  # fmt: skip
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, repository: Repository, name: str, branch: str, data: bytes) -> None:
        if branch not in repository.refs:
            return self._missing("RevisionNotFound")
        files = {}
        for line in data.splitlines():
            said = json.loads(line)
            value = said["value"]
            if said["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif said["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
        sha = repository.commit(files, branch)
        return self._json({"commitUrl": f"{self.hub.address}/{name}/commit/{sha}", "commitOid": sha})


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve for as long as the block lasts."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.elsewhere = f"http://localhost:{server.server_address[1]}"
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
