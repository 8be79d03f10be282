"""Empty jobs through PgQueuer: drain.py DSN JOBS WORKERS BATCH [--steps N] [--seconds S]; prints one line of JSON.

Each worker is a process of its own with one connection, as `pgq run` starts them. They wait when the queue is filled, a
thousand jobs a statement; the time runs from the first of these until the last job is gone. With --seconds the queue is kept
filled for that long instead, and the rate of each second is printed.

With --steps a job is a chain: each step puts the next one into the queue before it ends, as a pipeline does that must not lose
its way, over a pool of ten more connections a worker, so that steps share commits.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import time
from datetime import timedelta

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

ENQUEUE_BATCH = 1000
# Of each worker, for the next steps.
NEXT_CONNECTIONS = 10


async def fill(dsn: str, jobs: int) -> None:
    connection = await asyncpg.connect(dsn=dsn)
    queries = Queries(AsyncpgDriver(connection))
    for start in range(0, jobs, ENQUEUE_BATCH):
        count = min(ENQUEUE_BATCH, jobs - start)
        await queries.enqueue(["empty"] * count, [b""] * count, [0] * count)
    await connection.close()


def work(dsn: str, batch: int, steps: int, barrier, done, stop) -> None:
    async def run() -> None:
        pgq = PgQueuer(AsyncpgDriver(await asyncpg.connect(dsn=dsn)))
        pool = await asyncpg.create_pool(dsn=dsn, min_size=NEXT_CONNECTIONS, max_size=NEXT_CONNECTIONS)
        following = Queries(AsyncpgPoolDriver(pool))
        counted = 0

        @pgq.entrypoint("empty")
        async def empty(job: Job) -> None:
            nonlocal counted
            step = int(job.payload or b"1")
            if step < steps:
                await following.enqueue("empty", str(step + 1).encode())
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


async def measure(dsn: str, jobs: int, workers: int, batch: int, steps: int, seconds: float | None) -> dict:
    context = multiprocessing.get_context("spawn")
    barrier, done, stop = context.Barrier(workers + 1), context.Value("q", 0), context.Event()
    processes = [context.Process(target=work, args=(dsn, batch, steps, barrier, done, stop)) for _ in range(workers)]
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
    ended = jobs if seconds is not None else jobs * steps
    answer = {"jobs": ended, "seconds": round(elapsed, 3), "jobsPerSecond": round(ended / elapsed, 1)}
    return answer | ({"rates": rates} if rates else {})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    for name in ["jobs", "workers", "batch"]:
        parser.add_argument(name, type=int)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    given = parser.parse_args()
    answer = measure(given.dsn, given.jobs, given.workers, given.batch, given.steps, given.seconds)
    print(json.dumps(uvloop.run(answer)))
