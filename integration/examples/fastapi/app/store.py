"""Where orders are kept."""

import os
from decimal import Decimal
from typing import Protocol

import psycopg


class Store(Protocol):
    def net_price(self, number: int) -> Decimal | None: ...


def connect() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_URL"])


class PostgresStore:
    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def net_price(self, number: int) -> Decimal | None:
        with self.connection as connection:
            row = connection.execute("SELECT net FROM orders WHERE number = %s", (number,)).fetchone()
        return row[0] if row else None
