"""The shop in FastAPI, with FastAPI's defaults and some faults of its own."""

from datetime import UTC, datetime

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel

MADE = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


class Item(BaseModel):
    id: int
    name: str
    price: float
    stock: int
    created_at: datetime
    updated_at: datetime


class OrderIn(BaseModel):
    item: int
    count: int
    note: str | None = None


class Order(BaseModel):
    id: int
    item: int
    count: int
    total: float
    placed_at: datetime
    note: str | None = None


def create_app():
    app = FastAPI()
    items = {
        1: Item(id=1, name="Tea", price=3.5, stock=7, created_at=MADE, updated_at=MADE),
        2: Item(id=2, name="Pot", price=19.99, stock=2, created_at=MADE, updated_at=MADE),
        3: Item(id=3, name="Cup", price=4.25, stock=9, created_at=MADE, updated_at=MADE),
    }
    orders = {}

    @app.get("/items", response_model=list[Item])
    def list_items(size: int = 2):
        return list(items.values())[:size]

    @app.get("/items/{id}", response_model=Item)
    def get_item(id: int):
        if id not in items:
            raise HTTPException(404, "no such item")
        return items[id]

    @app.post("/orders", response_model=Order, status_code=201, response_model_exclude_none=True)
    def create_order(data: OrderIn):
        item = items.get(data.item)
        if item is None:
            raise HTTPException(409, "no such item")
        item.stock -= 1
        order = Order(
            id=len(orders) + 1,
            item=data.item,
            count=data.count,
            total=item.price * data.count,
            placed_at=MADE,
            note=data.note,
        )
        orders[order.id] = order
        return order

    @app.get("/orders/{id}", response_model=Order, response_model_exclude_none=True)
    def get_order(id: int):
        if id not in orders:
            raise HTTPException(404, "no such order")
        return orders[id]

    @app.delete("/orders/{id}", status_code=204)
    def delete_order(id: int):
        orders.pop(id, None)
        return Response(status_code=204)

    @app.get("/report")
    def report():
        return {"sold": sum(order.count for order in orders.values()), "orders": len(orders)}

    return app
