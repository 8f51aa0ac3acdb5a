"""Orders over HTTP."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from omnibus import gross

from app.store import PostgresStore, Store, connect

app = FastAPI(title="orders")


def store() -> Store:
    return PostgresStore(connect())


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/orders/{number}")
def order(number: int, orders: Annotated[Store, Depends(store)]) -> dict[str, str]:
    net: Decimal | None = orders.net_price(number)
    if net is None:
        raise HTTPException(404, f"no order {number}")
    return {"number": str(number), "net": str(net), "gross": str(gross(net))}
