"""Prices that several services share."""

from decimal import ROUND_HALF_UP, Decimal

VAT = Decimal("0.19")


def gross(net: Decimal) -> Decimal:
    """The price with tax, rounded to cents."""
    return (net * (1 + VAT)).quantize(Decimal("0.01"), ROUND_HALF_UP)
