"""The database's tables, as SQLAlchemy Core sees them; migrations/ builds them."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)

# The Alembic revision that this code needs; a test holds it to migrations/versions.
REVISION = "0003"

# SQLite makes ids only for INTEGER; AUTOINCREMENT, so that the id of a deleted row is never given again.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", sa.Text, nullable=False, unique=True),
    # Empty for someone who only ever signed in elsewhere; no password has that hash.
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,
)


def _of_user() -> sa.Column[int]:
    return sa.Column("user_id", Id, sa.ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True)


# Who is signed in. A session only names a row here, so one that is written back after its end signs nobody in.
logins = sa.Table(
    "logins",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _of_user(),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)

# Users by what a sign-in provider calls them: the issuer's word for a subject never changes, an email may.
identities = sa.Table(
    "identities",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    _of_user(),
)

# Failed sign-ins of an email, known or not, by its SHA-256: people type passwords into that field. `ends_at` is in
# seconds since 1970.
sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False, index=True),
)

# `key` names the content in the upload folder; `name` is what the client called it, and names nothing.
files = sa.Table(
    "files",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _of_user(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,
)

revisions = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
