"""The shop's tables, as the Flask team left them; the port took this module over unchanged."""

import hashlib
import sqlite3
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import DateTime, ForeignKey, QueuePool, StaticPool, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Model(DeclarativeBase):
    pass


class User(Model):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(64))
    is_admin: Mapped[bool] = mapped_column(default=False)
    last_login: Mapped[datetime | None] = mapped_column(DateTime)

    def to_dict(self):
        return {"id": self.id, "email": self.email, "name": self.name, "is_admin": self.is_admin}


class Product(Model):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    category: Mapped[str] = mapped_column(String(40))
    price_cents: Mapped[int]
    stock: Mapped[int]
    description: Mapped[str | None] = mapped_column(String(500))
    added: Mapped[datetime] = mapped_column(DateTime)

    def to_dict(self):
        product = {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "price": money(self.price_cents),
            "stock": self.stock,
            "added": self.added,
        }
        if self.description:
            product["description"] = self.description
        return product


class CartItem(Model):
    __tablename__ = "cart_items"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    quantity: Mapped[int]
    product: Mapped[Product] = relationship()


class Order(Model):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(20), default="open")
    created_at: Mapped[datetime] = mapped_column(DateTime)
    lines: Mapped[list["OrderLine"]] = relationship(order_by="OrderLine.id")

    def to_dict(self):
        return {
            "id": self.id,
            "status": self.status,
            "created_at": self.created_at,
            "total": money(sum(line.price_cents * line.quantity for line in self.lines)),
            "lines": [
                {"product_id": line.product_id, "quantity": line.quantity, "price": money(line.price_cents)}
                for line in self.lines
            ],
        }


class OrderLine(Model):
    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int]
    quantity: Mapped[int]
    price_cents: Mapped[int]


def money(cents):
    return f"{cents / 100:.2f}"


def hash_password(password):
    return hashlib.sha256(b"shop" + password.encode("utf-8", "replace")).hexdigest()


def seed(session):
    day = datetime(2025, 3, 1, 9, 30)
    session.add_all(
        [
            User(id=1, email="root@shop.example", name="Root", password_hash=hash_password("toor-42"), is_admin=True),
            User(id=2, email="ada@shop.example", name="Ada", password_hash=hash_password("lovelace")),
            User(id=3, email="bob@shop.example", name="Bob", password_hash=hash_password("builder")),
        ]
    )
    rows = [
        ("Espresso beans", "coffee", 1290, 40, "Dark roast, 1 kg"),
        ("Café crème", "coffee", 1150, 12, None),
        ("Filter papers", "coffee", 399, 100, None),
        ("Earl Grey", "tea", 850, 25, "With bergamot"),
        ("Sencha", "tea", 1500, 3, None),
        ("Rooibos", "tea", 720, 0, "No caffeine"),
        ("Mug", "china", 999, 18, None),
        ("Teapot", "china", 3450, 5, "Holds 1.2 l"),
        ("Müesli bowl", "china", 1200, 7, None),
        ("Sugar tongs", "china", 1750, 2, None),
        ("Honey", "pantry", 680, 30, "From the roof"),
        ("Oat biscuits", "pantry", 425, 60, None),
    ]
    for number, (name, category, cents, stock, text) in enumerate(rows):
        added = day + timedelta(days=number)
        session.add(
            Product(name=name, category=category, price_cents=cents, stock=stock, description=text, added=added)
        )
    lines = [
        OrderLine(product_id=1, quantity=2, price_cents=1290),
        OrderLine(product_id=7, quantity=1, price_cents=999),
    ]
    session.add(Order(id=1, user_id=2, status="shipped", created_at=day, lines=lines))
    lines = [OrderLine(product_id=8, quantity=1, price_cents=3450)]
    session.add(Order(id=2, user_id=3, created_at=day + timedelta(days=1), lines=lines))
    session.commit()


@cache
def first_goods():
    """The tables with their first rows, as the bytes of an SQLite file: made once, copied for each app."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        seed(session)
    data = connection.serialize()
    connection.close()
    return data


def make_engine(path=None):
    """An engine on a fresh copy of the first goods: in the file `path`, or in memory."""
    if path:
        Path(path).write_bytes(first_goods())

    def connect():
        connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        if not path:
            connection.deserialize(first_goods())
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    # A pool of one: an SQLite database in memory lives as long as its only connection.
    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=1, max_overflow=0)
