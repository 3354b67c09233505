"""Hands mail over by smtplib, STARTTLS and XOAUTH2: a thread for each mailbox, one connection for
all its mail or one for each message. Writes nothing down."""

import base64
import json
import smtplib
import ssl
import sys
import threading
import time

given = json.load(sys.stdin)
host, port = given["smtp"].rsplit(":", 1)
trust = ssl.create_default_context(cafile=given["ca"])
tokens = {account["user"]: account["token"] for account in given["accounts"]}
queues = {user: [] for user in tokens}
for message in given["messages"]:
    queues[message["from"]].append((message["to"], base64.b64decode(message["raw"])))


def connect(user):
    server = smtplib.SMTP(host, int(port))
    server.starttls(context=trust)
    server.ehlo()
    words = f"user={user}\1auth=Bearer {tokens[user]}\1\1"
    server.auth("XOAUTH2", lambda challenge=None: words if challenge is None else "")
    return server


def submit(user, queue):
    server = None
    for recipients, raw in queue:
        server = server or connect(user)
        server.sendmail(user, recipients, raw)
        if given["connection_each"]:
            server.quit()
            server = None
    if server:
        server.quit()


began = time.monotonic()
threads = [threading.Thread(target=submit, args=item) for item in queues.items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"seconds": time.monotonic() - began}), flush=True)
