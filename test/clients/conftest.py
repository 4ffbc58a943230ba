"""A server for the tests: $NEPTUNE is the binary to start, or
$NEPTUNE_REMOTE a server that runs already (sc://host:port)."""

import os
import socket
import subprocess
import time

import pytest


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="session")
def remote(tmp_path_factory):
    given = os.environ.get("NEPTUNE_REMOTE")
    if given:
        yield given
        return
    port = free_port()
    home = tmp_path_factory.mktemp("server")
    with open(home / "log", "w") as log:
        p = subprocess.Popen(
            [os.path.abspath(os.environ["NEPTUNE"]), "server", "--host", "127.0.0.1", "--port", str(port), "--ui-port", "-1"],
            cwd=home, stdout=log, stderr=log,
        )
    try:
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if p.poll() is not None:
                pytest.exit("the server ended:\n" + (home / "log").read_text())
            time.sleep(0.05)
        yield "sc://127.0.0.1:%d" % port
    finally:
        p.terminate()
        p.wait(20)


def connect(remote):
    from pyspark.sql.connect.session import SparkSession

    b = SparkSession.builder.remote(remote)
    return b.create() if hasattr(b, "create") else b.getOrCreate()


@pytest.fixture
def spark(remote):
    s = connect(remote)
    yield s
    s.client.close()


@pytest.fixture
def version():
    import pyspark

    return tuple(int(x) for x in pyspark.__version__.split(".")[:2])
