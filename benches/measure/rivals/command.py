"""Runs a program to its end and says what it took: time, processor time and the most memory."""

import json
import os
import resource
import subprocess
import sys
import time

given = json.load(sys.stdin)
began = time.monotonic()
done = subprocess.run(
    given["command"],
    env={**os.environ, **given["environment"]},
    stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    check=False,
)
seconds = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
result = {
    "status": done.returncode,
    "complaint": done.stderr.decode(errors="replace")[-2000:],
    "seconds": seconds,
    "processor_seconds": used.ru_utime + used.ru_stime,
    "peak_bytes": used.ru_maxrss * 1024,
}
print(json.dumps(result), flush=True)
