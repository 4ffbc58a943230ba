"""The server as a process: flags, ports, authentication, signals."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import connect, free_port

BINARY = os.environ.get("NEPTUNE")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs the binary: $NEPTUNE")


class Server:
    def __init__(self, folder, *flags, port=None, ui_port=-1):
        self.log = folder / ("log%d" % time.monotonic_ns())
        self.port = free_port() if port is None else port
        with open(self.log, "w") as log:
            self.p = subprocess.Popen(
                [os.path.abspath(BINARY), "server", "--port", str(self.port), "--ui-port", str(ui_port), *flags], cwd=folder, stdout=log, stderr=log
            )

    def __enter__(self):
        for _ in range(200):
            if m := re.search(r"sc://127\.0\.0\.1:(\d+)", self.text()):
                self.port = int(m.group(1))
                return self
            assert self.p.poll() is None, self.text()
            time.sleep(0.05)
        raise AssertionError("the server doesn't start: " + self.text())

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait(10)

    def text(self):
        return self.log.read_text()

    @property
    def remote(self):
        return "sc://127.0.0.1:%d" % self.port


@pytest.fixture(autouse=True)
def no_shared_pool():
    """PySpark gives back operations on a pool that all sessions share, and closing a session waits for it: those of
    ended servers would fill it for minutes."""
    yield
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator as Iterator

    for name in ("_release_thread_pool", "_release_thread_pool_instance"):  # 3.5; later ones
        if name in vars(Iterator) and not isinstance(vars(Iterator)[name], property):
            setattr(Iterator, name, None)


def run(*args):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=20)


def test_port_0_takes_a_free_one(tmp_path):
    with Server(tmp_path, port=0) as s:
        assert s.port > 0
        c = connect(s.remote)
        assert c.range(3).count() == 3
        c.client.close()


def test_a_busy_port_is_said(tmp_path):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        r = run("server", "--port", str(port), "--ui-port", "-1")
        assert r.returncode == 1
        assert str(port) in r.stderr and "--port" in r.stderr and "goroutine" not in r.stderr


@pytest.mark.parametrize(
    "flags,says",
    [
        (["--port", "many"], "port"),
        (["--nope"], "--nope"),
        (["--mode", "best"], "neptune, fifo"),
        (["--memory", "lots"], "size"),
        (["--conf", "neptune.job.tipe=stream"], "neptune.job.tipe"),
        (["--conf", "neptune.job.type=urgent"], "neptune.job.type"),
        (["surplus"], "surplus"),
    ],
)
def test_bad_flags(flags, says):
    r = run("server", "--ui-port", "-1", *flags)
    assert r.returncode == 1
    assert says in r.stderr and len(r.stderr.splitlines()) < 5, r.stderr


def test_help_and_document_have_the_same_keys():
    text = run("server", "--help").stdout
    doc = open(os.path.join(os.path.dirname(__file__), "../../docs/configuration.md")).read()
    flags = set(re.findall(r"^\s+--([a-z-]+) ", text, re.M)) - {"help", "config", "conf", "properties-file"}
    assert {"port", "slots", "memory"} <= flags
    for f in flags:
        assert "`--%s" % f in doc, f
    assert "neptune" in run("version").stdout


def test_token(tmp_path, version):
    import grpc

    with Server(tmp_path, "--token", "secret") as s:
        if version >= (4, 0):  # a token makes clients use TLS, those from 4.0 on not with a host called localhost
            c = connect("sc://localhost:%d/;token=secret" % s.port)
            assert c.range(3).count() == 3
            c.client.close()
        from pyspark.sql.connect.proto import base_pb2 as pb2
        from pyspark.sql.connect.proto import base_pb2_grpc as pb2_grpc

        for md in [None, [("authorization", "Bearer wrong")]]:
            with grpc.insecure_channel("127.0.0.1:%d" % s.port) as ch:
                with pytest.raises(grpc.RpcError) as e:
                    pb2_grpc.SparkConnectServiceStub(ch).Config(pb2.ConfigRequest(), metadata=md, timeout=10)
                assert e.value.code() == grpc.StatusCode.UNAUTHENTICATED
                assert "secret" not in e.value.details()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_order(tmp_path, sig):
    """Queries under way end with an error that says so; nothing stays behind, and the exit code is 0."""
    import threading

    local = tmp_path / "local"
    local.mkdir()
    with Server(tmp_path, "--local-dir", str(local)) as s:
        c = connect(s.remote)
        assert c.range(3).count() == 3
        got = []

        def long():
            try:
                c.sql("SELECT count(*) FROM range(100000000000) WHERE id % 7 = 3").collect()
            except Exception as e:
                got.append(e)

        t = threading.Thread(target=long, daemon=True)
        t.start()
        time.sleep(0.5)
        s.p.send_signal(sig)
        assert s.p.wait(15) == 0
        assert "panic" not in s.text()
        assert not list(local.rglob("*")), "files stay"


def metrics(port):
    text = urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10).read().decode()
    return {k: float(v) for k, v in re.findall(r"^(\w+) (\S+)$", text, re.M)}


LEAVE = """
import os, sys
from conftest import connect
held = []
for _ in range(5):
    rows = connect(sys.argv[1]).range(50_000_000).toLocalIterator()
    assert next(rows).id == 0
    held.append(rows)
os._exit(7)
"""


def test_what_clients_leave_behind_is_given_back(tmp_path):
    """Clients go away in the middle of results, without a word."""
    local, ui = tmp_path / "local", free_port()
    local.mkdir()
    flags = ["--local-dir", str(local), "--conf", "spark.connect.execute.manager.detachedTimeout=1s", "--conf", "neptune.session.timeout=3s"]
    with Server(tmp_path, *flags, ui_port=ui) as s:
        first = connect(s.remote)
        assert first.range(10).count() == 10
        before = metrics(ui)
        # In a process of their own: a client that lives on asks the ended server for its results again, for minutes.
        gone = subprocess.run([sys.executable, "-c", LEAVE, s.remote], cwd=os.path.dirname(__file__), capture_output=True, text=True, timeout=60)
        assert gone.returncode == 7, gone.stderr
        assert metrics(ui)["neptune_operations"] > 0
        for _ in range(150):
            after = metrics(ui)
            if after["neptune_sessions"] == 0 and after["go_goroutines"] <= before["go_goroutines"] + 2:
                break
            time.sleep(0.2)
        for name in ["operations", "sessions", "jobs_active", "tasks_running", "tasks_blocked", "tasks_waiting", "memory_reserved_bytes"]:
            assert after["neptune_" + name] == 0, name
        assert after["go_goroutines"] <= before["go_goroutines"] + 2
        assert after["process_open_fds"] <= before["process_open_fds"] + 1
        assert not [f for f in local.rglob("*") if f.is_file()]
        # The session that did nothing for too long says so; a new one goes on.
        new = connect(s.remote)
        assert new.range(3).count() == 3
        new.client.close()
