"""Shop API on FastAPI, by the team that took it over: typed models, dependencies, and FastAPI's defaults."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import CartItem, Order, OrderLine, Product, User, hash_password, make_engine

JWT_SECRET = "a-long-secret-which-only-the-shop-knows"


class Credentials(BaseModel):
    email: str
    password: str


class Token(BaseModel):
    access_token: str


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    name: str
    is_admin: bool


class ProductOut(BaseModel):
    id: int
    name: str
    category: str
    price: float
    stock: int
    added: datetime
    description: str | None = None


class ProductPage(BaseModel):
    items: list[ProductOut]
    page: int
    per_page: int
    pages: int
    total: int


class StockIn(BaseModel):
    stock: int = Field(ge=0, le=10_000)


class CartItemIn(BaseModel):
    product_id: int
    quantity: int = Field(default=1, ge=1, le=99)


class CartItemOut(BaseModel):
    product_id: int
    name: str
    quantity: int
    line_total: float


class CartOut(BaseModel):
    items: list[CartItemOut]
    total: float


class LineOut(BaseModel):
    product_id: int
    quantity: int
    price: float


class OrderOut(BaseModel):
    id: int
    status: str
    created_at: datetime
    total: float
    lines: list[LineOut]


router = APIRouter()
bearer = HTTPBearer()


def get_db(request: Request) -> Iterator[Session]:
    with Session(request.app.state.engine) as db:
        yield db


Db = Annotated[Session, Depends(get_db)]


def current_user(db: Db, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> User:
    try:
        claims = jwt.decode(credentials.credentials, JWT_SECRET, algorithms=["HS256"])
    except jwt.ExpiredSignatureError:
        raise HTTPException(401, "Token has expired") from None
    except jwt.InvalidTokenError:
        raise HTTPException(401, "Not a valid token") from None
    return db.get(User, int(claims["sub"]))


CurrentUser = Annotated[User, Depends(current_user)]


def current_admin(user: CurrentUser) -> User:
    if not user.is_admin:
        raise HTTPException(403, "Admins only")
    return user


def product_out(product: Product) -> ProductOut:
    return ProductOut(
        id=product.id,
        name=product.name,
        category=product.category,
        price=product.price_cents / 100,
        stock=product.stock,
        added=product.added,
        description=product.description,
    )


def cart_out(db: Session, user: User) -> CartOut:
    items = [
        CartItemOut(
            product_id=item.product_id,
            name=item.product.name,
            quantity=item.quantity,
            line_total=item.product.price_cents * item.quantity / 100,
        )
        for item in cart_items(db, user)
    ]
    return CartOut(items=items, total=round(sum(item.line_total for item in items), 2))


def cart_items(db: Session, user: User) -> list[CartItem]:
    query = select(CartItem).where(CartItem.user_id == user.id).order_by(CartItem.product_id)
    return list(db.scalars(query))


def order_out(order: Order) -> OrderOut:
    return OrderOut(
        id=order.id,
        status=order.status,
        created_at=order.created_at,
        total=sum(line.price_cents * line.quantity for line in order.lines) / 100,
        lines=[
            LineOut(product_id=line.product_id, quantity=line.quantity, price=line.price_cents / 100)
            for line in order.lines
        ],
    )


def found(thing):
    if thing is None:
        raise HTTPException(404)
    return thing


@router.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "database": "up"}


@router.post("/auth/login")
def login(credentials: Credentials, db: Db) -> Token:
    user = db.scalar(select(User).where(User.email == credentials.email))
    if user is None or user.password_hash != hash_password(credentials.password):
        raise HTTPException(401, "Bad email or password")
    expires = datetime.now(UTC) + timedelta(hours=1)
    token = jwt.encode({"sub": str(user.id), "exp": expires}, JWT_SECRET, algorithm="HS256")
    return Token(access_token=token)


@router.get("/users/me", response_model=UserOut)
def me(user: CurrentUser) -> User:
    return user


@router.get("/products")
def list_products(
    db: Db,
    q: str | None = None,
    category: str | None = None,
    min_price: float | None = None,
    page: int = 1,
    per_page: int = 5,
) -> ProductPage:
    page, per_page = max(page, 1), min(max(per_page, 1), 50)
    query = select(Product)
    if q:
        query = query.where(Product.name.ilike(f"%{q}%"))
    if category:
        query = query.where(Product.category == category)
    if min_price is not None:
        query = query.where(Product.price_cents >= min_price * 100)
    total = db.scalar(select(func.count()).select_from(query.subquery()))
    products = db.scalars(query.order_by(Product.id).limit(per_page).offset((page - 1) * per_page))
    return ProductPage(
        items=[product_out(product) for product in products],
        page=page,
        per_page=per_page,
        pages=total // per_page + 1,
        total=total,
    )


@router.get("/products/{id}")
def get_product(id: int, db: Db) -> ProductOut:
    return product_out(found(db.get(Product, id)))


@router.patch("/products/{id}", dependencies=[Depends(current_user)])
def change_product(id: int, change: StockIn, db: Db) -> ProductOut:
    product = found(db.get(Product, id))
    product.stock = change.stock
    db.commit()
    return product_out(product)


@router.delete("/products/{id}", status_code=204, dependencies=[Depends(current_admin)])
def delete_product(id: int, db: Db) -> None:
    db.delete(found(db.get(Product, id)))
    db.commit()


@router.get("/cart")
def get_cart(user: CurrentUser, db: Db) -> CartOut:
    return cart_out(db, user)


@router.post("/cart/items")
def add_to_cart(item: CartItemIn, user: CurrentUser, db: Db) -> CartOut:
    product = found(db.get(Product, item.product_id))
    if product.stock < item.quantity:
        raise HTTPException(409, f"Only {product.stock} left")
    db.merge(CartItem(user_id=user.id, product_id=item.product_id, quantity=item.quantity))
    db.commit()
    return cart_out(db, user)


@router.delete("/cart/items/{product_id}", status_code=204)
def remove_from_cart(product_id: int, user: CurrentUser, db: Db) -> None:
    db.delete(found(db.get(CartItem, (user.id, product_id))))
    db.commit()


@router.get("/orders")
def list_orders(user: CurrentUser, db: Db) -> list[OrderOut]:
    orders = db.scalars(select(Order).where(Order.user_id == user.id).order_by(Order.id.desc()))
    return [order_out(order) for order in orders]


@router.get("/orders/{id}", dependencies=[Depends(current_user)])
def get_order(id: int, db: Db) -> OrderOut:
    return order_out(found(db.get(Order, id)))


@router.post("/orders", status_code=201)
def place_order(user: CurrentUser, db: Db) -> OrderOut:
    items = cart_items(db, user)
    if not items:
        raise HTTPException(409, "Your cart is empty")
    order = Order(user_id=user.id, created_at=datetime.now(UTC).replace(tzinfo=None))
    for item in items:
        item.product.stock -= item.quantity
        order.lines.append(
            OrderLine(product_id=item.product_id, quantity=item.quantity, price_cents=item.product.price_cents)
        )
        db.delete(item)
    db.add(order)
    db.commit()
    return order_out(order)


@router.post("/orders/{id}/cancel")
def cancel_order(id: int, user: CurrentUser, db: Db) -> OrderOut:
    order = found(db.get(Order, id))
    if order.user_id != user.id:
        raise HTTPException(404)
    if order.status != "open":
        raise HTTPException(409, f"The order is {order.status}")
    order.status = "cancelled"
    db.commit()
    return order_out(order)


def create_app(database: str | None = None) -> FastAPI:
    """The shop with its first goods; `database` is a file for its tables, in memory without one."""
    app = FastAPI(title="Shop")
    app.state.engine = make_engine(database or os.environ.get("PORT_DATABASE_PATH"))
    app.include_router(router)
    return app
