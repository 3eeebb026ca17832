"""The servers of the tests keep their data through stop and kill, and leave nothing behind."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psutil

from tests.services import PostgresServer, ValkeyServer, start_valkey

HOLD = """
import sys, time
from tests.services import start_valkey
server = start_valkey()
print(server.port, server._server.process.pid, flush=True)
time.sleep(60)
"""


async def _ask(server: PostgresServer, statement: str) -> object:
    connection = await asyncpg.connect(server.url().replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


class TestPostgres:
    async def test_keeps_its_data_and_its_address_when_stopped_and_killed(self, own_postgres: PostgresServer) -> None:
        await _ask(own_postgres, "CREATE TABLE kept AS SELECT 42 AS n")
        await _ask(own_postgres, "CHECKPOINT")
        address = own_postgres.url()
        for end in (own_postgres.stop, own_postgres.kill):
            end()
            await asyncio.to_thread(own_postgres.start)
            assert await _ask(own_postgres, "SELECT n FROM kept") == 42
        assert own_postgres.url() == address

    async def test_is_gone_without_a_trace_when_removed(self, own_postgres: PostgresServer) -> None:
        own_postgres.remove()
        assert not own_postgres.folder.exists()


class TestValkey:
    def test_comes_back_on_the_same_port(self, own_valkey: ValkeyServer) -> None:
        port = own_valkey.port
        own_valkey.stop()
        own_valkey.start()
        assert own_valkey.port == port

    def test_ends_with_the_process_that_started_it_even_when_that_is_killed(self) -> None:
        root = Path(__file__).resolve().parents[2]
        with subprocess.Popen([sys.executable, "-c", HOLD], cwd=root, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            _port, pid = map(int, holder.stdout.readline().split())
            assert psutil.pid_exists(pid)
            holder.kill()
        end = time.monotonic() + 10
        while psutil.pid_exists(pid) and time.monotonic() < end:
            time.sleep(0.05)
        assert not psutil.pid_exists(pid)

    def test_two_run_side_by_side(self, own_valkey: ValkeyServer) -> None:
        other = start_valkey()
        try:
            assert other.port != own_valkey.port
        finally:
            other.remove()
