"""Shop API, written by a team of four that learned Flask from Flask-SQLAlchemy's and Flask-JWT-Extended's guides."""

import os
from datetime import UTC, datetime, timedelta
from functools import wraps

import jwt
from flask import Flask, abort, g, jsonify, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import CartItem, Order, OrderLine, Product, User, hash_password, make_engine, money

JWT_SECRET = "a-long-secret-which-only-the-shop-knows"


def login_required(view):
    @wraps(view)
    def guarded(*args, **kwargs):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return jsonify(error="Missing Authorization Header"), 401
        try:
            claims = jwt.decode(token, JWT_SECRET, algorithms=["HS256"])
        except jwt.ExpiredSignatureError:
            return jsonify(error="Token has expired"), 401
        except jwt.InvalidTokenError:
            return jsonify(error="Not a valid token"), 401
        g.user = g.session.get(User, int(claims["sub"]))
        return view(*args, **kwargs)

    return guarded


def admin_required(view):
    @wraps(view)
    @login_required
    def guarded(*args, **kwargs):
        if not g.user.is_admin:
            return jsonify(error="Admins only"), 403
        return view(*args, **kwargs)

    return guarded


def body_or_400():
    data = request.get_json()
    if not isinstance(data, dict):
        abort(400)
    return data


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def create_app(database=None):
    """The shop with its first goods; `database` is a file for its tables, in memory without one."""
    app = Flask(__name__, static_folder=None)
    engine = make_engine(database or os.environ.get("DATABASE_PATH"))

    @app.before_request
    def open_session():
        g.session = Session(engine)

    @app.teardown_request
    def close_session(error):
        g.session.close()

    @app.errorhandler(400)
    def bad_request(error):
        return jsonify(error="Bad Request"), 400

    @app.errorhandler(404)
    def not_found(error):
        return jsonify(error="Not Found"), 404

    @app.get("/health")
    def health():
        return jsonify(status="ok", database="up")

    @app.post("/auth/login")
    def login():
        data = body_or_400()
        email, password = data.get("email"), data.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            return jsonify(error="Email and password are required"), 400
        user = g.session.scalar(select(User).where(User.email == email))
        if user is None or user.password_hash != hash_password(password):
            return jsonify(error="Bad email or password"), 401
        user.last_login = datetime.now(UTC).replace(tzinfo=None)
        g.session.commit()
        expires = datetime.now(UTC) + timedelta(hours=1)
        token = jwt.encode({"sub": str(user.id), "exp": expires}, JWT_SECRET, algorithm="HS256")
        return jsonify(access_token=token)

    @app.get("/users/me")
    @login_required
    def me():
        return jsonify(g.user.to_dict())

    @app.get("/products")
    def list_products():
        page = max(request.args.get("page", 1, type=int), 1)
        per_page = min(max(request.args.get("per_page", 5, type=int), 1), 50)
        min_price = request.args.get("min_price", type=float)
        query = select(Product)
        if request.args.get("q"):
            query = query.where(Product.name.ilike(f"%{request.args['q']}%"))
        if request.args.get("category"):
            query = query.where(Product.category == request.args["category"])
        if min_price is not None:
            query = query.where(Product.price_cents >= min_price * 100)
        total = g.session.scalar(select(func.count()).select_from(query.subquery()))
        found = g.session.scalars(query.order_by(Product.id).limit(per_page).offset((page - 1) * per_page))
        return jsonify(
            items=[product.to_dict() for product in found],
            page=page,
            per_page=per_page,
            pages=-(-total // per_page),
            total=total,
        )

    @app.get("/products/<int:id>")
    def get_product(id):
        return jsonify((g.session.get(Product, id) or abort(404)).to_dict())

    @app.patch("/products/<int:id>")
    @admin_required
    def change_product(id):
        product = g.session.get(Product, id) or abort(404)
        stock = body_or_400().get("stock")
        if not is_int(stock) or not 0 <= stock <= 10_000:
            return jsonify(error="stock is a number from 0 to 10000"), 400
        product.stock = stock
        g.session.commit()
        return jsonify(product.to_dict())

    @app.delete("/products/<int:id>")
    @admin_required
    def delete_product(id):
        g.session.delete(g.session.get(Product, id) or abort(404))
        g.session.commit()
        return "", 204

    def cart():
        items = g.session.scalars(
            select(CartItem).where(CartItem.user_id == g.user.id).order_by(CartItem.product_id)
        ).all()
        return {
            "items": [
                {
                    "product_id": item.product_id,
                    "name": item.product.name,
                    "quantity": item.quantity,
                    "line_total": money(item.product.price_cents * item.quantity),
                }
                for item in items
            ],
            "total": money(sum(item.product.price_cents * item.quantity for item in items)),
        }

    @app.get("/cart")
    @login_required
    def get_cart():
        return jsonify(cart())

    @app.post("/cart/items")
    @login_required
    def add_to_cart():
        data = body_or_400()
        product_id, quantity = data.get("product_id"), data.get("quantity", 1)
        if not is_int(product_id) or not is_int(quantity) or not 1 <= quantity <= 99:
            return jsonify(error="product_id and a quantity from 1 to 99, please"), 400
        product = g.session.get(Product, product_id) or abort(404)
        if product.stock < quantity:
            return jsonify(error=f"Only {product.stock} left"), 409
        g.session.merge(CartItem(user_id=g.user.id, product_id=product_id, quantity=quantity))
        g.session.commit()
        return jsonify(cart()), 201

    @app.delete("/cart/items/<int:product_id>")
    @login_required
    def remove_from_cart(product_id):
        g.session.delete(g.session.get(CartItem, (g.user.id, product_id)) or abort(404))
        g.session.commit()
        return "", 204

    @app.get("/orders")
    @login_required
    def list_orders():
        orders = g.session.scalars(select(Order).where(Order.user_id == g.user.id).order_by(Order.id.desc()))
        return jsonify([order.to_dict() for order in orders])

    def own_order(id):
        order = g.session.get(Order, id)
        if order is None or order.user_id != g.user.id:
            abort(404)
        return order

    @app.get("/orders/<int:id>")
    @login_required
    def get_order(id):
        return jsonify(own_order(id).to_dict())

    @app.post("/orders")
    @login_required
    def place_order():
        items = g.session.scalars(
            select(CartItem).where(CartItem.user_id == g.user.id).order_by(CartItem.product_id)
        ).all()
        if not items:
            return jsonify(error="Your cart is empty"), 409
        order = Order(user_id=g.user.id, created_at=datetime.now(UTC).replace(tzinfo=None))
        for item in items:
            item.product.stock -= item.quantity
            order.lines.append(
                OrderLine(product_id=item.product_id, quantity=item.quantity, price_cents=item.product.price_cents)
            )
            g.session.delete(item)
        g.session.add(order)
        g.session.commit()
        return jsonify(order.to_dict()), 201, {"Location": url_for("get_order", id=order.id)}

    @app.post("/orders/<int:id>/cancel")
    @login_required
    def cancel_order(id):
        order = own_order(id)
        if order.status != "open":
            return jsonify(error=f"The order is {order.status}"), 409
        order.status = "cancelled"
        for line in order.lines:
            product = g.session.get(Product, line.product_id)
            if product:
                product.stock += line.quantity
        g.session.commit()
        return jsonify(order.to_dict())

    return app
