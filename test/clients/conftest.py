"""A server for the tests: $NEPTUNE is the binary to start, or
$NEPTUNE_REMOTE a server that runs already (sc://host:port)."""

import os
import re
import socket
import subprocess
import sys
import time

import pytest


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


UI_PORT = free_port()


@pytest.fixture(scope="session")
def status():
    """The address of the server's metrics, None if that isn't known."""
    return None if os.environ.get("NEPTUNE_REMOTE") else "http://127.0.0.1:%d/metrics" % UI_PORT


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
            [os.path.abspath(os.environ["NEPTUNE"]), "server", "--host", "127.0.0.1", "--port", str(port), "--ui-port", str(UI_PORT)],
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


# Sessions of PySpark before 4.2 are kept to the end: they close themselves when they are collected,
# and if that happens on a pool's thread or inside a call, the client waits for itself for ever. And the
# process ends without its exit handlers: those of any version ask servers that have ended, for ten minutes.
_kept = []


def pytest_sessionfinish(session, exitstatus):
    session.config.outcome = int(exitstatus)


def pytest_unconfigure(config):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(getattr(config, "outcome", 1))


def connect(remote):
    import pyspark
    from pyspark.sql.connect.session import SparkSession

    b = SparkSession.builder.remote(remote)
    s = b.create() if hasattr(b, "create") else b.getOrCreate()
    if pyspark.__version__ < "4.2":
        _kept.append(s)
    return s


def raised(f):
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException) as x:
        f()
    return x.value


def condition(e):
    """The condition of an error; PySpark 3.5 has it in the message only."""
    c = e.getCondition() if hasattr(e, "getCondition") else e.getErrorClass()
    if c is None and (m := re.search(r"\[([A-Z][A-Z0-9_.]*)\]", str(e))):
        c = m.group(1)
    return c


def state(e):
    """The SQLSTATE of an error; PySpark 3.5 has it in the message only."""
    s = e.getSqlState()
    if s is None and (m := re.search(r"SQLSTATE: (\w{5})", str(e))):
        s = m.group(1)
    return s


@pytest.fixture
def spark(remote):
    s = connect(remote)
    yield s
    s.client.close()


@pytest.fixture
def version():
    import pyspark

    return tuple(int(x) for x in pyspark.__version__.split(".")[:2])
