"""Signs in to every mailbox by XOAUTH2 and stays in IDLE; says when a server reports new mail."""

import imaplib
import json
import selectors
import ssl
import sys

given = json.load(sys.stdin)
host, port = given["imap"].rsplit(":", 1)
trust = ssl.create_default_context(cafile=given["ca"])


def connect(account):
    server = imaplib.IMAP4_SSL(host, int(port), ssl_context=trust)
    words = f"user={account['user']}\1auth=Bearer {account['token']}\1\1"
    server.authenticate("XOAUTH2", lambda _: words.encode())
    server.select("INBOX", readonly=True)
    server.send(b"idle IDLE\r\n")
    while not server.readline().startswith(b"+"):
        pass
    server.socket().setblocking(False)
    return server


servers = [connect(account) for account in given["accounts"]]
waiting = selectors.DefaultSelector()
for server in servers:
    waiting.register(server.socket(), selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in waiting.select():
        try:
            while True:
                words = key.fileobj.recv(4096)
                if not words:
                    sys.exit("a server hung up")
                if b" EXISTS" in words:
                    print("exists", flush=True)
        except ssl.SSLWantReadError:
            pass
