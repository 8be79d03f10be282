"""A web server for tests of imports, at 127.0.0.1 and at 127.0.0.2, where nodes may not ask.

    python3 import_source.py FOLDER PORT LOG

GET /FILE answers with a file of FOLDER, GET /elsewhere/FILE leads to the same one at 127.0.0.2. Each request is a line
of LOG: the address that was asked, and the path. Prints a line when it listens, and ends when its standard input does.
"""

import http.server
import socketserver
import sys
import threading

FOLDER, PORT, LOG = sys.argv[1], int(sys.argv[2]), sys.argv[3]
lock = threading.Lock()


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        # HTTPServer's own asks who its address is, which takes long where nobody answers.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address


class Answers(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments):
        super().__init__(*arguments, directory=FOLDER)

    def do_GET(self):
        with lock, open(LOG, "a") as log:
            log.write("%s %s\n" % (self.server.server_address[0], self.path))
        if not self.path.startswith("/elsewhere/"):
            return super().do_GET()
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.2:%d/%s" % (PORT, self.path.removeprefix("/elsewhere/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


for host in ("127.0.0.1", "127.0.0.2"):
    threading.Thread(target=Server((host, PORT), Answers).serve_forever, daemon=True).start()
print("listening", flush=True)
sys.stdin.read()
