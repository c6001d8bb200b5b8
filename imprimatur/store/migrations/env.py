"""Alembic's entry: runs online only, on the URL that the caller hands over; all of it or nothing."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, pool
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

import models.tables  # noqa: F401  (registers the tables)

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
is_sqlite = engine.dialect.name == "sqlite"

if is_sqlite:

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, record: ConnectionPoolEntry) -> None:
        # The driver would commit before each change of the schema.
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")


# Two processes may start at once: the second waits here, and then finds nothing left to do.
TURN = "BEGIN IMMEDIATE" if is_sqlite else "SELECT pg_advisory_xact_lock(7203114)"

with engine.connect() as connection, connection.begin():
    connection.exec_driver_sql(TURN)
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=is_sqlite,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
