"""How Alembic reaches the catalogue: the connection that `app.catalog.schema` hands over, or the settings' URL.

One transaction for all steps, so that two processes that start together migrate once: SQLite's begins IMMEDIATE,
PostgreSQL's takes an advisory lock.
"""

from alembic import context
from sqlalchemy import Connection, text

from app.catalog.audit_models import Base
from app.catalog.database import migration_engine
from app.settings import get_settings

ONE_AT_A_TIME = 0x64696E6F  # "dino": the advisory lock's number


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with migration_engine(get_settings().database).connect() as own:
        migrate(own)
