"""Pulling from a hub that runs here: the real client against a server with the few answers that it needs."""

import hashlib
import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scumble_core.errors import ScumbleError
from scumble_core.models import pull as pull_module
from scumble_core.models.pull import RemoteFile, damaged, fetch, look_up, select

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BIG = bytes(range(256)) * 4000


class Hub(ThreadingHTTPServer):
    """Serves /api/models/... and /.../resolve/...; notes what was asked, and cuts off where it is told to."""

    def __init__(self, repositories):
        super().__init__(("127.0.0.1", 0), Answer)
        self.repositories = repositories
        self.asked = []
        self.cut_after = None
        self.corrupt = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self):
        hub, path = self.server, self.path.split("?")[0].strip("/")
        hub.asked.append((path, self.headers.get("Range")))
        if path.startswith("api/models/"):
            return self.describe(path.removeprefix("api/models/").split("/revision/")[0])
        repository, _, name = path.partition("/resolve/")
        files = hub.repositories.get(repository, {})
        name = name.partition("/")[2]
        if name not in files:
            return self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        return self.content(files[name])

    def describe(self, repository):
        files = self.server.repositories.get(repository)
        if files is None:
            return self.answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        siblings = [self.sibling(name, data) for name, data in files.items()]
        body = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings, "private": False,
                "tags": [], "downloads": 0, "likes": 0}  # fmt: skip
        return self.answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    @staticmethod
    def sibling(name, data):
        blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
        found = {"rfilename": name, "size": len(data), "blobId": blob}
        if len(data) > 1000:
            found["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return found

    def content(self, data):
        hub, begin, status, headers = self.server, 0, 200, {}
        wanted = self.headers.get("Range")
        if wanted:
            begin = int(wanted.removeprefix("bytes=").split("-")[0])
            status, headers = 206, {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"}
        body = data[begin:] if not hub.corrupt else data[begin:].replace(b"\x07", b"\x08")
        self.answer(status, body, headers, hub.cut_after if len(data) > 1000 else None)

    def answer(self, status, body, headers, cut_after=None):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut_after])
        if cut_after is not None and cut_after < len(body):
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *arguments):
        pass


PIPELINE = {
    "model_index.json": json.dumps({
        "_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"], "safety_checker": [None, None],
    }).encode(),
    "README.md": b"words", "whole.safetensors": BIG, "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": BIG, "unet/diffusion_pytorch_model.fp16.safetensors": BIG[:5000],
    "unet/diffusion_pytorch_model.bin": BIG, "vae/config.json": b"{}", "vae/model.onnx": BIG,
    "vae/diffusion_pytorch_model.safetensors": BIG[:3000], "vae_1_0/diffusion_pytorch_model.safetensors": BIG,
}  # fmt: skip
WANTED = {
    "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
}  # fmt: skip


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits between its tries
    files = {"a.safetensors": BIG, "b.safetensors": BIG[:5000]}
    server = Hub({"artist/pipeline": PIPELINE, "artist/files": files, "artist/one": {"x.safetensors": BIG}})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_pipeline_is_its_parts_and_nothing_beside_them(hub, tmp_path):
    pull = look_up("artist/pipeline", tmp_path, hub.url)
    assert {file.name for file in pull.files} == WANTED
    assert pull.size == sum(len(PIPELINE[name]) for name in WANTED) and pull.commit == COMMIT
    assert not tmp_path.joinpath("pulled").exists()
    came = []
    folder = fetch(pull, came.append)
    assert folder == tmp_path / "pulled/artist--pipeline" and sum(came) == pull.size
    assert all((folder / name).read_bytes() == PIPELINE[name] for name in WANTED)
    assert not list(folder.rglob("*.part")) and damaged(folder) == []


def test_one_file_may_be_named(hub, tmp_path):
    path = fetch(look_up("artist/files/b.safetensors", tmp_path, hub.url))
    assert path == tmp_path / "pulled/artist--files/b.safetensors" and path.read_bytes() == BIG[:5000]


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)


@pytest.mark.usefixtures("small_pieces")
def test_a_pull_that_was_broken_off_goes_on_where_it_was(hub, tmp_path):
    pull, came = look_up("artist/one", tmp_path, hub.url), []

    def interrupt(count):
        came.append(count)
        if sum(came) >= 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(pull, interrupt)
    assert not (pull.folder / "x.safetensors").exists()
    assert pull.bytes_left == pull.size - sum(came) > 0
    hub.asked.clear()
    rest = []
    assert fetch(pull, rest.append).read_bytes() == BIG
    assert [wanted for _path, wanted in hub.asked] == [f"bytes={sum(came)}-"] and sum(came) + sum(rest) == pull.size


@pytest.mark.usefixtures("small_pieces")
def test_a_connection_that_breaks_is_made_again(hub, tmp_path):
    hub.cut_after = 400_000
    came = []
    assert fetch(look_up("artist/one", tmp_path, hub.url), came.append).read_bytes() == BIG
    assert sum(came) == len(BIG) and len([wanted for _path, wanted in hub.asked if wanted]) >= 2


def test_what_is_here_is_not_fetched_again(hub, tmp_path):
    fetch(look_up("artist/one", tmp_path, hub.url))
    pull = look_up("artist/one", tmp_path, hub.url)
    hub.asked.clear()
    assert pull.bytes_left == 0
    fetch(pull)
    assert hub.asked == []


def test_a_file_that_changed_on_its_way_is_refused_and_removed(hub, tmp_path):
    hub.corrupt = True
    pull = look_up("artist/one", tmp_path, hub.url)
    with pytest.raises(ScumbleError, match="damaged on its way"):
        fetch(pull)
    assert [path for path in pull.folder.rglob("*") if path.is_file()] == []


def test_damage_that_comes_later_is_found(hub, tmp_path):
    folder = fetch(look_up("artist/pipeline", tmp_path, hub.url))
    spoilt = folder / "unet/config.json"
    spoilt.write_bytes(b"[]")
    (folder / "model_index.json").unlink()
    assert damaged(folder) == [folder / "model_index.json", spoilt]


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(hub, tmp_path, monkeypatch):
    pull = look_up("artist/one", tmp_path, hub.url)
    monkeypatch.setattr(pull_module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    hub.asked.clear()
    with pytest.raises(ScumbleError, match="make room") as caught:
        fetch(pull)
    assert caught.value.code == "disk_full" and hub.asked == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("nonsense", "is no id"),
        ("../../etc/passwd", "is no id"),
        ("artist/gone", "The hub has no model artist/gone"),
        ("artist/files", "Say which of its weights"),
        ("artist/files/c.safetensors", "There are no weights c.safetensors there: a.safetensors"),
    ],
)
def test_what_can_not_be_pulled_is_said(hub, tmp_path, wanted, said):
    with pytest.raises(ScumbleError, match=said):
        look_up(wanted, tmp_path, hub.url)


def test_a_hub_out_of_reach_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ScumbleError, match="could not be fetched"):
            look_up("artist/one", tmp_path, f"http://127.0.0.1:{nobody.getsockname()[1]}")


def test_offline_stays_offline(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ScumbleError, match="HF_HUB_OFFLINE is set"):
        look_up("artist/one", tmp_path, hub.url)
    assert hub.asked == []


@pytest.mark.parametrize(
    "name", ["../evil.safetensors", "/etc/evil.safetensors", "a\\..\\evil.safetensors", "C:evil.safetensors"]
)
def test_names_that_lead_elsewhere_are_left_out(hub, tmp_path, name):
    hub.repositories["artist/evil"] = {name: BIG, "good.safetensors": BIG}
    assert [file.name for file in look_up("artist/evil", tmp_path, hub.url).files] == ["good.safetensors"]


def test_a_network_in_shards_is_pulled_with_its_list():
    names = ["config.json", "diffusion_pytorch_model.safetensors.index.json", "odd.safetensors"]
    names += [f"diffusion_pytorch_model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    chosen = select([RemoteFile(name, 1) for name in names], ())
    assert {file.name for file in chosen} == set(names) - {"odd.safetensors"}


NO_SOCKETS = """
import socket, sys
def refuse(*arguments, **named): raise AssertionError("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
from scumble_core.cli.app import main
sys.argv = ["scumble", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    "command",
    [("models", "list"), ("models", "verify"), ("models", "info", "starting"), ("doctor",),
     ("refine", "in.png", "-o", "out.png", "--model", "owner/name"),
     ("plan", "in.png", "--model", "owner/name", "--upscaler", "owner/name")],
)  # fmt: skip
def test_no_other_command_opens_a_connection(tmp_path, command, monkeypatch):
    from PIL import Image
    from tests.core.models.detect.layouts import checkpoint, write

    Image.new("RGB", (64, 64)).save(tmp_path / "in.png")
    write(tmp_path / "data/models/starting.safetensors", {"emb_params": (8, 768)})
    write(tmp_path / "data/models/other.safetensors", dict.fromkeys(checkpoint("sd15"), (1,)))
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    done = subprocess.run(
        [sys.executable, "-c", NO_SOCKETS, *command], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert "a socket was opened" not in done.stderr + done.stdout and "Traceback" not in done.stderr
    named = "owner/name" in command
    assert (done.returncode, "There is no model named 'owner/name'" in done.stderr) == (int(named), named), done.stderr
