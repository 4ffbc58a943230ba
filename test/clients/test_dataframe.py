"""Everyday DataFrame calls give what Spark 4.3.0 gives (dataframe_cases.py).

To make the expectations anew, run this file against a Spark server:
NEPTUNE_REMOTE=sc://host:port REWRITE=1 pytest test_dataframe.py"""

import json
import os
import time

import pytest

pyspark = pytest.importorskip("pyspark", "4.1")
if tuple(int(x) for x in pyspark.__version__.split(".")[:2]) < (4, 3):
    pytest.skip("the calls are those of 4.3", allow_module_level=True)

from conftest import connect  # noqa: E402
from dataframe_more import CASES  # noqa: E402

FILE = os.path.join(os.path.dirname(__file__), "dataframe_expected.json")
EXPECTED = json.load(open(FILE)) if os.path.exists(FILE) else {}


@pytest.fixture(scope="module")
def session(remote):
    # The client turns timestamps into its own time zone's.
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/Los_Angeles"
    time.tzset()
    s = connect(remote)
    s.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    s.conf.set("spark.sql.shuffle.partitions", "4")
    yield s
    s.client.close()
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def plain(v, folder):
    return json.loads(json.dumps(v, default=str).replace(folder, "FOLDER"))


@pytest.mark.parametrize("name", sorted(CASES))
def test_call(session, tmp_path, monkeypatch, name):
    folder = str(tmp_path)
    tmp_path.chmod(0o777)
    # Some calls look for the client's active session; other tests' sessions have taken its place.
    monkeypatch.setattr(type(session)._active_session, "session", session, raising=False)
    try:
        got = ["ok", CASES[name](session, folder)]
    except Exception as e:
        got = ["err", type(e).__name__] + [getattr(e, m, lambda: None)() for m in ("getCondition", "getSqlState", "getMessageParameters")]
    got = plain(got, folder)
    if os.environ.get("REWRITE"):
        EXPECTED[name] = got
        json.dump(EXPECTED, open(FILE, "w"), indent=1, sort_keys=True, ensure_ascii=False)
        return
    assert got == EXPECTED[name]
