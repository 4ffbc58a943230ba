"""Runs train_and_infer.py against `neptune server` under FIFO and under NEPTUNE, and compares.

    python demo.py --neptune ../bin/neptune --out build/demo
"""
import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time

from train_and_infer import percentile

HERE = os.path.dirname(os.path.abspath(__file__))


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    def __init__(self, binary, port, mode, log):
        self.command = [binary, "server", "--port", str(port), "--mode", mode]
        self.port, self.log = port, log

    def __enter__(self):
        if listening(self.port):
            sys.exit(f"port {self.port} is in use: stop what listens there, or give --port")
        print("$", " ".join(self.command), flush=True)
        self.process = subprocess.Popen(self.command, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT)
        end = time.time() + 20
        while not listening(self.port):
            if self.process.poll() is not None or time.time() > end:
                sys.exit(f"the server did not start, see {self.log}")
            time.sleep(0.02)
        return self

    def __exit__(self, *exc):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def table(results):
    head = ["", "stream batches", "alone p50", "p99", "with training p50", "p95", "p99 (ms)", "training (M rows/s)"]
    rows = [head]
    for r in results:
        ms = lambda v, p: f"{percentile(v, p) * 1000:,.0f}" if v else "-"
        rows.append([r["label"], str(len(r["latency"])), ms(r["alone"], 50), ms(r["alone"], 99), ms(r["latency"], 50), ms(r["latency"], 95),
                     ms(r["latency"], 99), f"{r['rows_per_second'] / 1e6:.2f}"])
    width = [max(len(r[i]) for r in rows) for i in range(len(head))]
    return "\n".join("  ".join(c.rjust(w) for c, w in zip(r, width)) for r in rows)


def picture(results, path):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=[3, 1])
    for r in results:
        v = sorted(r["latency"])
        left.plot([x * 1000 for x in v], [100 * (i + 1) / len(v) for i in range(len(v))], drawstyle="steps-post", label=r["label"])
    if results and results[-1]["alone"]:
        v = sorted(results[-1]["alone"])
        left.plot([x * 1000 for x in v], [100 * (i + 1) / len(v) for i in range(len(v))], "k:", drawstyle="steps-post", label="stream alone")
    left.set(xscale="log", xlabel="micro-batch, ms from trigger to commit", ylabel="% of micro-batches", title="Stream latency while models are trained")
    left.grid(alpha=0.3)
    left.legend()
    right.bar([r["label"] for r in results], [r["rows_per_second"] / 1e6 for r in results], color=["C0", "C1"])
    right.set(ylabel="M rows/s", title="Training throughput")
    fig.savefig(path, dpi=120)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--neptune", required=True, help="the binary")
    ap.add_argument("--out", default="build/demo")
    ap.add_argument("--port", type=int, default=15002)
    ap.add_argument("--seconds", type=float, default=60)
    ap.add_argument("--rows", type=int, default=12_000_000)
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    log = os.path.join(a.out, "server.log")
    results = []
    for label in ("FIFO", "NEPTUNE"):
        with Server(a.neptune, a.port, label.lower(), log):
            out = os.path.join(a.out, label.lower() + ".json")
            code = subprocess.call([sys.executable, os.path.join(HERE, "train_and_infer.py"), "--remote", f"sc://localhost:{a.port}", "--label", label,
                                    "--seconds", str(a.seconds), "--alone", str(a.seconds if label == "NEPTUNE" else 0), "--rows", str(a.rows), "--folder", a.out, "--json", out])
            if code:
                sys.exit(f"the example failed under {label}; the server's log is {log}")
            with open(out) as f:
                results.append(json.load(f))
    print()
    print(table(results))
    png = os.path.join(a.out, "demo.png")
    picture(results, png)
    print(f"\nThe same as a picture: {png}")
    print(f"\nTo point your own client at it:  {a.neptune} server   and then   SparkSession.builder.remote(\"sc://localhost:15002\").getOrCreate()")


if __name__ == "__main__":
    main()
