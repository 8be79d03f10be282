"""Empty jobs through PgQueuer: drain.py DSN JOBS WORKERS BATCH [SECONDS]; prints one line of JSON.

Each worker is a process of its own with one connection, as `pgq run` starts them. They wait when the queue is filled, a thousand
jobs a statement; the time runs from the first of these until the last job is gone. With SECONDS the queue is kept filled for
that long instead, and the rate of each second is printed.
"""

import asyncio
import json
import multiprocessing
import sys
import time
from datetime import timedelta

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

ENQUEUE_BATCH = 1000


async def fill(dsn: str, jobs: int) -> None:
    connection = await asyncpg.connect(dsn=dsn)
    queries = Queries(AsyncpgDriver(connection))
    for start in range(0, jobs, ENQUEUE_BATCH):
        count = min(ENQUEUE_BATCH, jobs - start)
        await queries.enqueue(["empty"] * count, [b""] * count, [0] * count)
    await connection.close()


def work(dsn: str, batch: int, barrier, done, stop) -> None:
    async def run() -> None:
        pgq = PgQueuer(AsyncpgDriver(await asyncpg.connect(dsn=dsn)))
        counted = 0

        @pgq.entrypoint("empty")
        async def empty(job: Job) -> None:
            nonlocal counted
            counted += 1
            if counted % 50 == 0:
                with done.get_lock():
                    done.value += 50

        await asyncio.get_running_loop().run_in_executor(None, barrier.wait)

        async def watch() -> None:
            while not stop.is_set():
                await asyncio.sleep(0.02)
            pgq.shutdown.set()

        watcher = asyncio.create_task(watch())
        await pgq.run(batch_size=batch, dequeue_timeout=timedelta(seconds=1))
        watcher.cancel()

    uvloop.run(run())


async def left(connection: asyncpg.Connection) -> int:
    return await connection.fetchval("select count(*) from pgqueuer")


async def measure(dsn: str, jobs: int, workers: int, batch: int, seconds: float | None) -> dict:
    context = multiprocessing.get_context("spawn")
    barrier, done, stop = context.Barrier(workers + 1), context.Value("q", 0), context.Event()
    processes = [context.Process(target=work, args=(dsn, batch, barrier, done, stop)) for _ in range(workers)]
    for process in processes:
        process.start()
    connection = await asyncpg.connect(dsn=dsn)
    total = jobs
    await asyncio.get_running_loop().run_in_executor(None, barrier.wait)
    started = time.monotonic()
    await fill(dsn, jobs)
    rates: list[int] = []
    if seconds is None:
        # Its own rows say when all is done: deleted is what has ended.
        while await left(connection) > 0:
            await asyncio.sleep(0.01)
        elapsed = time.monotonic() - started
    else:
        before = done.value
        tick = started
        while time.monotonic() - started < seconds:
            tick += 1
            while time.monotonic() < tick:
                if total - done.value < jobs:
                    await fill(dsn, ENQUEUE_BATCH)
                    total += ENQUEUE_BATCH
                await asyncio.sleep(0.01)
            now = done.value
            rates.append(now - before)
            before = now
        elapsed = time.monotonic() - started
        jobs = sum(rates)
    stop.set()
    for process in processes:
        process.join()
    await connection.close()
    answer = {"jobs": jobs, "seconds": round(elapsed, 3), "jobsPerSecond": round(jobs / elapsed, 1)}
    return answer | ({"rates": rates} if rates else {})


if __name__ == "__main__":
    dsn, jobs, workers, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    seconds = float(sys.argv[5]) if len(sys.argv) > 5 else None
    print(json.dumps(uvloop.run(measure(dsn, jobs, workers, batch, seconds))))
