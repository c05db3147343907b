"""A shop's JSON service in Flask: its own error bodies, prices as text, times as jsonify writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from flask import Flask, abort, jsonify, request
from werkzeug.exceptions import HTTPException

MADE = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def create_app():
    app = Flask(__name__)
    items = {
        1: {"id": 1, "name": "Tea", "price": Decimal("3.50"), "stock": 7, "created_at": MADE, "updated_at": MADE},
        2: {"id": 2, "name": "Pot", "price": Decimal("19.99"), "stock": 2, "created_at": MADE, "updated_at": MADE},
        3: {"id": 3, "name": "Cup", "price": Decimal("4.25"), "stock": 9, "created_at": MADE, "updated_at": MADE},
    }
    orders = {}

    @app.errorhandler(HTTPException)
    def refuse(error):
        return jsonify({"error": error.description, "status": error.code}), error.code

    @app.get("/items")
    def list_items():
        size = request.args.get("size", default=3, type=int)
        return jsonify(list(items.values())[:size])

    @app.get("/items/<int:id>")
    def get_item(id):
        if id not in items:
            abort(404, "no such item")
        return jsonify(items[id])

    @app.post("/orders")
    def create_order():
        data = request.get_json()
        if "item" not in data or "count" not in data:
            abort(400, "item and count are needed")
        item = items.get(data["item"])
        if item is None:
            abort(409, "no such item")
        if data["count"] < 1:
            abort(400, "count must be positive")
        item["stock"] -= data["count"]
        order = {
            "id": len(orders) + 1,
            "item": data["item"],
            "count": data["count"],
            "total": item["price"] * data["count"],
            "placed_at": MADE,
            "note": data.get("note"),
        }
        orders[order["id"]] = order
        return jsonify(order), 201, {"Location": f"/orders/{order['id']}"}

    @app.get("/orders/<int:id>")
    def get_order(id):
        if id not in orders:
            abort(404, "no such order")
        return jsonify(orders[id])

    @app.delete("/orders/<int:id>")
    def delete_order(id):
        if orders.pop(id, None) is None:
            abort(404, "no such order")
        return "", 204

    @app.get("/report")
    def report():
        return jsonify({"sold": sum(order["count"] for order in orders.values()), "orders": len(orders)})

    return app
