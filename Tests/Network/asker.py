"""Asks the node of this namespace again and again: python3 asker.py SOURCE_ADDRESS REQUESTS_PER_SECOND SECONDS.

Prints a line for each answer: when it was asked for (monotonic seconds, which all namespaces share) and its status, 0
for none.
"""

import http.client
import sys
import time

source, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
start, number, connection = time.monotonic(), 0, None
while True:
    due = start + number / rate
    if due > start + seconds:
        break
    time.sleep(max(0, due - time.monotonic()))
    asked, number = time.monotonic(), number + 1
    try:
        connection = connection or http.client.HTTPConnection(
            "127.0.0.1", 8080, timeout=3, source_address=(source, 0))
        connection.request("GET", "/api/jobs?limit=1")
        answer = connection.getresponse()
        answer.read()
        print(f"{asked:.4f} {answer.status}")
    except (OSError, http.client.HTTPException):
        connection = None
        print(f"{asked:.4f} 0")
