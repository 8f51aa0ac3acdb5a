from decimal import Decimal

import pytest
from app.main import app, store
from fastapi.testclient import TestClient


class OneOrder:
    def net_price(self, number: int) -> Decimal | None:
        return Decimal("100.00") if number == 1 else None


@pytest.fixture
def client():
    app.dependency_overrides[store] = OneOrder
    yield TestClient(app)
    app.dependency_overrides.clear()


def test_an_order_shows_the_price_with_tax_from_the_private_package(client):
    assert client.get("/orders/1").json() == {"number": "1", "net": "100.00", "gross": "119.00"}


def test_an_unknown_order_is_not_found(client):
    assert client.get("/orders/2").status_code == 404
