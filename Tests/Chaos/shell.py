"""Commands, time and words."""

import subprocess
import sys
import threading
import time

START = time.monotonic()


def run(*command, check=True, timeout=60):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done


def say(text: str):
    print(f"  {time.monotonic() - START:6.1f} s  {text}", file=sys.stderr, flush=True)


def until(limit: float, holds, pause: float = 0.1):
    """Seconds until `holds` is true, or None when it was not within `limit`."""
    start = time.monotonic()
    while time.monotonic() - start < limit:
        if holds():
            return time.monotonic() - start
        time.sleep(pause)
    return None


def start_thread(body, *arguments) -> threading.Thread:
    thread = threading.Thread(target=body, args=arguments, daemon=True)
    thread.start()
    return thread
