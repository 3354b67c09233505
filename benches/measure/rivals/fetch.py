"""Fetches a whole inbox by imaplib, fifty messages at a time, and throws it away."""

import imaplib
import json
import resource
import ssl
import sys
import time

given = json.load(sys.stdin)
host, port = given["imap"].rsplit(":", 1)
trust = ssl.create_default_context(cafile=given["ca"])
account = given["accounts"][0]

began = time.monotonic()
server = imaplib.IMAP4_SSL(host, int(port), ssl_context=trust)
words = f"user={account['user']}\1auth=Bearer {account['token']}\1\1"
server.authenticate("XOAUTH2", lambda _: words.encode())
server.select("INBOX", readonly=True)
uids = server.uid("SEARCH", "ALL")[1][0].split()
messages = size = 0
for start in range(0, len(uids), 50):
    batch = uids[start : start + 50]
    _, answer = server.uid("FETCH", b",".join(batch).decode(), "(UID BODY.PEEK[])")
    for part in answer:
        if isinstance(part, tuple):
            messages += 1
            size += len(part[1])
seconds = time.monotonic() - began
server.logout()
used = resource.getrusage(resource.RUSAGE_SELF)
result = {
    "messages": messages,
    "bytes": size,
    "seconds": seconds,
    "processor_seconds": used.ru_utime + used.ru_stime,
    "peak_bytes": used.ru_maxrss * 1024,
}
print(json.dumps(result), flush=True)
