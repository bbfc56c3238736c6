# SPDX-License-Identifier: Apache-2.0
"""What the products differ in: names, CPUID, the layout of a TCB_VERSION, serial numbers and dates of the certificates.

Everything of Milan, Genoa and Turin is as AMD's own certificates and reports have it. Of Venice only the names, the
CPUID range and the TCB layout are published; its serial numbers, dates and sizes are our guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

TCB_PARTS: Final = ("fmc", "boot_loader", "tee", "snp", "microcode")

# Byte of each part in a TCB_VERSION (56860, tables TCB_VERSION). What a layout does not name is reserved.
TCB_LAYOUTS: Final[dict[str, dict[str, int]]] = {
    "Milan": {"boot_loader": 0, "tee": 1, "snp": 6, "microcode": 7},
    "Turin": {"fmc": 0, "boot_loader": 1, "tee": 2, "snp": 3, "microcode": 7},
    "Venice": {"fmc": 0, "tee": 1, "snp": 2},
}


@dataclass(frozen=True, slots=True)
class Tcb:
    """A TCB by its parts; a part that the product has not is 0."""

    fmc: int = 0
    boot_loader: int = 0
    tee: int = 0
    snp: int = 0
    microcode: int = 0

    def encode(self, layout: str) -> bytes:
        """The 8 bytes of a TCB_VERSION. A part that the layout has no byte for must be 0."""
        out = bytearray(8)
        places = TCB_LAYOUTS[layout]
        for part in TCB_PARTS:
            value = getattr(self, part)
            if part in places:
                out[places[part]] = value
            elif value:
                raise ValueError(f"a {layout} TCB has no {part}")
        return bytes(out)

    @classmethod
    def decode(cls, raw: bytes, layout: str) -> Tcb:
        return cls(**{part: raw[at] for part, at in TCB_LAYOUTS[layout].items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A product line: what has an ARK of its own."""

    name: str
    serial: int  # of the ARK; ASK and ASVK count from here
    ask_serial: int
    ark_from: datetime
    ask_from: datetime
    asvk_from: datetime
    layout: str
    struct_version: int
    vcek_name: str  # productName of a VCEK
    chip_id_len: int
    tcb: Tcb  # one that its chips really had


@dataclass(frozen=True, slots=True)
class Product:
    """What CPUID tells apart."""

    name: str
    line: Line
    family: int
    model: int
    stepping: int


def _date(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


LINES: Final[dict[str, Line]] = {
    line.name: line
    for line in (
        Line(
            name="Milan",
            serial=0x10000,
            ask_serial=0x10001,
            ark_from=_date(2020, 10, 22, 17, 23, 5),
            ask_from=_date(2020, 10, 22, 18, 24, 20),
            asvk_from=_date(2022, 11, 16, 22, 45, 24),
            layout="Milan",
            struct_version=0,
            vcek_name="Milan-B0",
            chip_id_len=64,
            tcb=Tcb(boot_loader=4, snp=0x18, microcode=0xDB),
        ),
        Line(
            name="Genoa",
            serial=0x20000,
            ask_serial=0x20002,
            ark_from=_date(2022, 1, 26, 15, 34, 37),
            ask_from=_date(2022, 10, 31, 13, 33, 48),
            asvk_from=_date(2022, 11, 18, 20, 48, 34),
            layout="Milan",
            struct_version=0,
            vcek_name="Genoa",
            chip_id_len=64,
            tcb=Tcb(boot_loader=10, snp=0x17, microcode=0x54),
        ),
        Line(
            name="Turin",
            serial=0x30000,
            ask_serial=0x30001,
            ark_from=_date(2023, 5, 15, 20, 3, 12),
            ask_from=_date(2023, 5, 15, 20, 25, 21),
            asvk_from=_date(2023, 5, 15, 21, 9, 41),
            layout="Turin",
            struct_version=1,
            vcek_name="Turin",
            chip_id_len=8,
            tcb=Tcb(fmc=1, boot_loader=1, tee=1, snp=4, microcode=0x51),
        ),
        Line(
            name="Venice",
            serial=0x40000,
            ask_serial=0x40001,
            ark_from=_date(2025, 1, 15, 20, 0, 0),
            ask_from=_date(2025, 1, 15, 20, 10, 0),
            asvk_from=_date(2025, 1, 15, 20, 20, 0),
            layout="Venice",
            struct_version=1,
            vcek_name="Venice",
            chip_id_len=8,
            tcb=Tcb(fmc=1, tee=1, snp=1),
        ),
    )
}

PRODUCTS: Final[dict[str, Product]] = {
    product.name: product
    for product in (
        Product("Milan", LINES["Milan"], 0x19, 0x01, 1),
        Product("Milan-X", LINES["Milan"], 0x19, 0x01, 2),
        Product("Genoa", LINES["Genoa"], 0x19, 0x11, 1),
        Product("Genoa-X", LINES["Genoa"], 0x19, 0x11, 2),
        Product("Bergamo", LINES["Genoa"], 0x19, 0xA0, 2),
        Product("Siena", LINES["Genoa"], 0x19, 0xA0, 2),
        Product("Turin", LINES["Turin"], 0x1A, 0x02, 1),
        Product("Turin-Dense", LINES["Turin"], 0x1A, 0x11, 0),
        Product("Venice", LINES["Venice"], 0x1A, 0x50, 0),
    )
}


def product_named(name: str) -> Product:
    """The product of that name; what it is not is a ValueError that names the choices."""
    try:
        return PRODUCTS[name]
    except KeyError:
        raise ValueError(f"no product {name!r}; there are {', '.join(PRODUCTS)}") from None


def product_of(family: int, model: int) -> Product | None:
    """The product that CPUID's family and model belong to: the first of its model range, which is 16 wide."""
    near = (p for p in PRODUCTS.values() if (p.family, p.model >> 4) == (family, model >> 4))
    exact = (p for p in PRODUCTS.values() if (p.family, p.model) == (family, model))
    return next(exact, next(near, None))
