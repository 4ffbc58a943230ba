"""Writes connect/pb from the protocol descriptors that PySpark carries.

Run by `make generate` with a Python that has the packages of
scripts/requirements/pyspark-4.3.txt. The descriptors inside pyspark's *_pb2
modules are those of spark/connect/*.proto without comments, so no protoc is
needed: the two Go plugins are fed the request that protoc would send.
"""

import importlib
import os
import subprocess
import sys

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

PACKAGE = "neptune/connect/pb"
MODULES = [
    "base",
    "catalog",
    "commands",
    "common",
    "expressions",
    "ml",
    "ml_common",
    "pipelines",
    "relations",
    "types",
]


def file_descriptors():
    """All files that the protocol needs, dependencies first."""
    files, seen = [], set()

    def add(fd):
        if fd.name in seen:
            return
        seen.add(fd.name)
        for dep in fd.dependencies:
            add(dep)
        p = descriptor_pb2.FileDescriptorProto()
        fd.CopyToProto(p)
        files.append(p)

    for name in MODULES:
        add(importlib.import_module("pyspark.sql.connect.proto.%s_pb2" % name).DESCRIPTOR)
    return files


def run(plugin, files, options, out):
    own = [f.name for f in files if f.name.startswith("spark/connect/")]
    req = plugin_pb2.CodeGeneratorRequest(file_to_generate=own, proto_file=files)
    req.parameter = ",".join(
        ["M%s=%s;pb" % (n, PACKAGE) for n in own] + ["module=" + PACKAGE] + options
    )
    raw = subprocess.run(
        ["go", "tool", plugin], input=req.SerializeToString(), stdout=subprocess.PIPE, check=True
    ).stdout
    res = plugin_pb2.CodeGeneratorResponse.FromString(raw)
    if res.error:
        sys.exit("%s: %s" % (plugin, res.error))
    for f in res.file:
        with open(os.path.join(out, f.name), "w") as w:
            w.write(f.content)


def main():
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "connect", "pb")
    os.makedirs(out, exist_ok=True)
    for old in os.listdir(out):
        if old.endswith(".pb.go"):
            os.remove(os.path.join(out, old))
    files = file_descriptors()
    run("protoc-gen-go", files, [], out)
    run("protoc-gen-go-grpc", files, [], out)


main()
