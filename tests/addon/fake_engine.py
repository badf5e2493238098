"""A scripted engine: speaks the protocol as told by a JSON file, so that the add-on can be tested against every way in
which an engine can behave. It knows no torch; run as `python fake_engine.py SCRIPT.json`.

    {"ready": {"protocol": 99},             fields of Ready to change; null: never say Ready
     "before": [step, …],                   done before Ready
     "jobs": [[step, …], …]}                done at the first, second, … Submit; the last list serves all further ones

Steps: {"progress": [done, text, seconds_left]}, {"preview": [frame, width, height, channels]}, {"write": [name, text]}
(in the job folder), {"finish": {fields of Finished}}, {"fail": sentence}, {"sleep": seconds} (takes Cancel),
{"deaf": seconds} (does not), {"enough": seconds} (waits for Enough), {"log": line}, {"raw": text} (bytes that are no
message), {"damaged": true}, {"truncated": true}, {"oversized": true}, {"hang": true}, {"die": exit code}.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine import protocol

inbox: queue.Queue[Any] = queue.Queue()


class Cancelled(Exception):
    """The running job was given up."""


def send(message: protocol.Message, payload: bytes = b"") -> None:
    raw(protocol.encode(message, payload))


def raw(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def read() -> None:
    decoder = protocol.Decoder()
    while data := os.read(0, 1 << 16):
        for item in decoder.feed(data):
            inbox.put(item)
    os._exit(0)


def sleep(seconds: float, job: str) -> None:
    try:
        item = inbox.get(timeout=seconds)
    except queue.Empty:
        return
    if isinstance(item, tuple) and item[0] == protocol.Cancel(job):
        raise Cancelled
    inbox.put(item)
    time.sleep(seconds)


def enough(seconds: float, job: str) -> None:
    """Wait until what is done is enough; fails if nobody says so."""
    try:
        item = inbox.get(timeout=seconds)
    except queue.Empty:
        item = None
    if not isinstance(item, tuple) or item[0] != protocol.Enough(job):
        raise ValueError(f"not Enough but {item}")


def broken(kind: str) -> bytes:
    """Bytes of a message that is damaged, truncated or oversized."""
    good = protocol.encode(protocol.Refused("never to be read"))
    oversized = protocol.MAGIC + struct.pack("<III", protocol.MAX_HEADER + 1, 0, 0)
    return {"damaged": good[:-1] + b"?", "truncated": good[:-5], "oversized": oversized}[kind]


def do(step: dict[str, Any], job: str, folder: Path) -> None:
    ((kind, value),) = step.items()
    match kind:
        case "progress":
            send(protocol.Progress(job, *value))
        case "preview":
            send(protocol.Preview(job, *value), bytes(value[1] * value[2] * value[3]))
        case "write":
            (folder / value[0]).parent.mkdir(parents=True, exist_ok=True)
            (folder / value[0]).write_text(value[1])
        case "finish":
            send(protocol.Finished(**({"job": job, "results": [], "notes": [], "figures": {}} | value)))
        case "fail":
            send(protocol.Failed(job, value))
        case "sleep":
            sleep(value, job)
        case "enough":
            enough(value, job)
        case "deaf":
            time.sleep(value)
        case "log":
            print(value, file=sys.stderr, flush=True)
        case "raw":
            raw(value.encode("latin-1"))
        case "damaged" | "truncated" | "oversized":
            raw(broken(kind))
        case "hang":
            time.sleep(3600)
        case "die":
            os._exit(value)
        case _:
            raise ValueError(f"no step is called {kind}")


def main() -> None:
    script = json.loads(Path(sys.argv[-1]).read_text())
    threading.Thread(target=read, daemon=True).start()
    for step in script.get("before", []):
        do(step, "", Path())
    if script.get("ready", {}) is not None:
        ready = protocol.Ready(protocol.PROTOCOL_VERSION, "0.0.fake", "cpu", os.getpid(), {"inbetween": ["baseline"]})
        send(protocol.Ready(**(vars(ready) | script.get("ready", {}))))
    jobs = script.get("jobs", [[{"finish": {}}]])
    while True:
        item = inbox.get()
        if isinstance(item, protocol.ProtocolError):
            send(protocol.Refused(str(item)))
        elif isinstance(item[0], protocol.Cancel):
            send(protocol.Refused(f"There is no job '{item[0].job}' to cancel."))
        else:
            steps = jobs.pop(0) if len(jobs) > 1 else jobs[0]
            try:
                for step in steps:
                    do(step, item[0].job, Path(item[0].folder))
            except Cancelled:
                send(protocol.Cancelled(item[0].job))


if __name__ == "__main__":
    main()
