"""The real services that tests, benchmarks and chaos runs use, started from packages this project installs.

Nothing has to be installed by hand and nothing is skipped because a service is missing. Every server started here listens on the
loopback interface alone, keeps its data in a temporary folder, and ends when the process that started it ends, however it ends.
"""

from tests.services.postgres import PostgresServer, start_postgres
from tests.services.stores import Stores, migrate
from tests.services.valkey import ValkeyServer, start_valkey

__all__ = ["PostgresServer", "Stores", "ValkeyServer", "migrate", "start_postgres", "start_valkey"]
