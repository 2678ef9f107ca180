"""The database's clock as an SQL expression: one clock for every host that holds a lease."""

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class db_now(FunctionElement):
    """Seconds since 1970 UTC, with fractions."""

    type = Double()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite(element, compiler, **kw) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql(element, compiler, **kw) -> str:
    # not now(): that one stands still for the length of a transaction
    return "extract(epoch from clock_timestamp())::double precision"
