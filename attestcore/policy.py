"""What the policies of all technologies share: policy files, the kinds of value a field may have, the base of a table.

A policy file is TOML or JSON with one table per technology. `load` and `loads` take it apart as far as the names of
those tables; each technology turns its own table into its own frozen dataclass, a subclass of `Table`.

A field is declared once, with its `Kind`. The kind says what the field's value may be in Python (`check`), how it is
written in a file (`read` and `dump`) and how JSON Schema says that (`schema`). Nothing is guessed: a name that is not
known, a value of another type, a string that is not exactly of the form asked for is an error. In a file the word "any"
means "not asked" for every field that asks for nothing by default (in Python: None). An empty list is an error, for it
could be read as "all" and as "none".

A wrong value given to Python raises TypeError or ValueError, and the text begins with the field's name. Whatever is
wrong with a file raises `PolicyError`, a ValueError, and the text begins with the dotted name of the place.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NoReturn, TypeVar, cast

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    import os

__all__ = [
    "BitMask",
    "Choice",
    "Flag",
    "FrozenMap",
    "Hex",
    "Integer",
    "Kind",
    "ListOf",
    "Nested",
    "OrAny",
    "PolicyError",
    "PolicyFile",
    "ReportData",
    "ReportDataPrefix",
    "Table",
    "Text",
    "TriState",
    "Version",
    "about",
    "canonical_digest",
    "exactly",
    "load",
    "loads",
    "refuse",
    "refuse_unknown",
]

MAX_FILE_BYTES: Final = 16 * 1024 * 1024  # a list of 100 000 chip ids fits

TriState = Literal["required", "forbidden", "any"]
TRI_STATES: Final = ("required", "forbidden", "any")

NOT_ASKED: Final = "any"  # how a file writes None


class PolicyError(ValueError):
    """A policy file that cannot be taken at its word. The text begins with the dotted name of the place."""


# ---- messages --------------------------------------------------------------------------------------------------------


def _shown(value: object) -> str:
    """The value for an error message: bounded, printable ASCII, and never the content of a container."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        text = ascii(value[:41])
        return text if len(value) <= 40 else f"a string of {len(value)} characters"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(bytes(value))} bytes"
    if isinstance(value, float):
        return "a floating-point number"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple | set | frozenset):
        return "a list"
    return f"an object of type {type(value).__name__}"


def refuse(name: str, expected: str, value: object, error: type[Exception] = ValueError) -> NoReturn:
    """Raises what every refusal of a value looks like."""
    raise error(f"{name}: expected {expected}, got {_shown(value)}")


def refuse_unknown(name: object, known: Iterable[str], where: str = "") -> NoReturn:
    """Raises for a name that is not one of the known ones, and names the nearest. `where` is the table it stands in."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    hint = f"did you mean {near[0]}?" if near else f"the known ones are {', '.join(known)}"
    plain = isinstance(name, str) and re.fullmatch("[A-Za-z0-9_-]{1,40}", name) is not None
    place = f"{where}." if where else ""
    raise PolicyError(f"{place}{name if plain else _shown(name)}: unknown name; {hint}")


# ---- files -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """The tables of a policy file as they were written; None for a table that is not there."""

    snp: Mapping[str, Any] | None = None
    tdx: Mapping[str, Any] | None = None


TABLES: Final = tuple(field.name for field in dataclasses.fields(PolicyFile))

Syntax = Literal["toml", "json"]


def load(path: str | os.PathLike[str]) -> PolicyFile:
    """Reads a policy file. A name in .toml or .json says what it is; without, what begins with "{" is JSON.

    Raises OSError when the file cannot be read and PolicyError for what is in it.
    """
    with Path(path).open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    suffix = Path(path).suffix
    syntax: Syntax
    if suffix in (".toml", ".json"):
        syntax = "toml" if suffix == ".toml" else "json"
    else:
        syntax = "json" if data.lstrip(b" \t\r\n").startswith(b"{") else "toml"
    return loads(data, syntax)


def loads(text: str | bytes, syntax: Syntax) -> PolicyFile:
    """Takes the text of a policy file apart, as far as the names of its tables. Raises PolicyError."""
    if syntax not in ("toml", "json"):
        refuse("syntax", "'toml' or 'json'", syntax)
    if len(text) > MAX_FILE_BYTES:
        raise PolicyError(f"a policy file has at most {MAX_FILE_BYTES} bytes")
    try:
        text = text if isinstance(text, str) else bytes(text).decode("utf-8")
        content = tomllib.loads(text) if syntax == "toml" else _json(text)
    except PolicyError:
        raise
    except (ValueError, RecursionError) as error:  # of TOML, JSON, UTF-8 and integers alike
        detail = "nested too deeply" if isinstance(error, RecursionError) else ascii(str(error)[:200])[1:-1]
        raise PolicyError(f"not a {syntax.upper()} file: {detail}") from None
    if not isinstance(content, dict):
        raise PolicyError(f"a policy file is a table of tables, not {_shown(content)}")
    for name, table in content.items():
        if name not in TABLES:
            refuse_unknown(name, TABLES)
        if not isinstance(table, dict):
            refuse(name, "a table", table, PolicyError)
    return PolicyFile(**content)


def _json(text: str) -> object:
    """RFC 8259 alone: no name twice in an object, no NaN, no infinity."""

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        table = dict(pairs)
        if len(table) != len(pairs):
            twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
            raise PolicyError(f"the name {_shown(twice)} is given twice in one object")
        return table

    def constant(word: str) -> NoReturn:
        raise PolicyError(f"{word} is not JSON")

    return json.loads(text, object_pairs_hook=members, parse_constant=constant)


def canonical_digest(value: object) -> str:
    """SHA-256, in hex, of the value as JSON with sorted names, no white space, and ASCII only."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


# ---- kinds of value --------------------------------------------------------------------------------------------------


def exactly(pattern: str) -> str:
    """The pattern for a whole string, as ECMA 262 and Python both read it (Python's "$" lets a newline follow)."""
    return f"^(?:{pattern})$(?!\\n)"


class Kind(ABC):
    """What the value of one field may be."""

    __slots__ = ()

    @abstractmethod
    def check(self, value: object, name: str) -> Any:
        """The value in the form that is kept: immutable, and sorted where order means nothing."""

    def read(self, value: object, name: str) -> Any:
        """From the form in a file to one that `check` takes."""
        return value

    def dump(self, value: Any) -> Any:
        """From the form that is kept to the one in a file."""
        return value

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The form in a file, as JSON Schema."""


@dataclasses.dataclass(frozen=True, slots=True)
class OrAny(Kind):
    """None, "any" in a file: not asked. Or a value of the kind within."""

    kind: Kind

    def check(self, value: object, name: str) -> Any:
        return None if value is None else self.kind.check(value, name)

    def read(self, value: object, name: str) -> Any:
        if value is None:  # an expected value that got lost on its way must not read as "not asked"
            raise TypeError(f'{name}: null is not a value; write "{NOT_ASKED}" for what is not asked')
        return None if value == NOT_ASKED else self.kind.read(value, name)

    def dump(self, value: Any) -> Any:
        return NOT_ASKED if value is None else self.kind.dump(value)

    def schema(self) -> dict[str, Any]:
        inner = self.kind.schema()
        return {"anyOf": [{"const": NOT_ASKED}, *inner.get("anyOf", [inner])]}


@dataclasses.dataclass(frozen=True, slots=True)
class Flag(Kind):
    def check(self, value: object, name: str) -> bool:
        if not isinstance(value, bool):
            refuse(name, "true or false", value, TypeError)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclasses.dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    def check(self, value: object, name: str) -> str:
        if not isinstance(value, str):
            refuse(name, f"one of {', '.join(self.words)}", value, TypeError)
        if value not in self.words:
            refuse(name, f"one of {', '.join(self.words)}", value)
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


TRI_STATE: Final = Choice(TRI_STATES)


@dataclasses.dataclass(frozen=True, slots=True)
class Integer(Kind):
    low: int
    high: int

    def check(self, value: object, name: str) -> int:
        expected = f"an integer from {self.low} to {self.high}"
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(name, expected, value, TypeError)
        if not self.low <= value <= self.high:
            refuse(name, expected, value)
        return int(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclasses.dataclass(frozen=True, slots=True)
class BitMask(Kind):
    """Bits of a word of 64, at least one: a mask, or a list of bit numbers. Kept as the mask, written as the list."""

    def check(self, value: object, name: str) -> int:
        if isinstance(value, list | tuple | set | frozenset):
            mask = 0
            for bit in ListOf(Integer(0, 63)).check(value, name):
                mask |= 1 << bit
            return mask
        expected = "a mask from 1 to 2**64 - 1 or a list of bit numbers"
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(name, expected, value, TypeError)
        if not 0 < value < 1 << 64:
            refuse(name, expected, value)
        return int(value)

    def read(self, value: object, name: str) -> Any:
        return value if isinstance(value, int) else ListOf(Integer(0, 63)).read(value, name)

    def dump(self, value: Any) -> list[int]:
        return [bit for bit in range(64) if value >> bit & 1]

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [Integer(1, (1 << 64) - 1).schema(), ListOf(Integer(0, 63)).schema()]}


_BYTE = "25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]"


@dataclasses.dataclass(frozen=True, slots=True)
class Version(Kind):
    """Numbers of one byte each, not all zero: "1.55" or (1, 55)."""

    parts: int

    def check(self, value: object, name: str) -> tuple[int, ...]:
        expected = f"{self.parts} numbers from 0 to 255 as {'.'.join('123456789'[: self.parts])!r}, not all zero"
        if isinstance(value, str):
            if re.fullmatch(self._pattern(), value) is None:
                refuse(name, expected, value)
            return tuple(int(part) for part in value.split("."))
        if not isinstance(value, tuple | list):
            refuse(name, expected, value, TypeError)
        numbers = tuple(Integer(0, 255).check(part, f"{name}[{i}]") for i, part in enumerate(value))
        if len(numbers) != self.parts or not any(numbers):
            raise ValueError(f"{name}: expected {expected}")
        return numbers

    def read(self, value: object, name: str) -> Any:
        if not isinstance(value, str):
            refuse(name, "a string such as " + repr(".".join("123456789"[: self.parts])), value, TypeError)
        return value

    def dump(self, value: Any) -> str:
        return ".".join(str(part) for part in value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": exactly(self._pattern())}

    def _pattern(self) -> str:
        zero = r"\.".join(["0"] * self.parts)
        return rf"(?!{zero}$)(?:{_BYTE})" + rf"(?:\.(?:{_BYTE})){{{self.parts - 1}}}"


_PEM = r"-----BEGIN PUBLIC KEY-----\r?\n(?:[A-Za-z0-9+/=]{1,76}\r?\n)+-----END PUBLIC KEY-----(?:\r?\n)?"


@dataclasses.dataclass(frozen=True, slots=True)
class Hex(Kind):
    """Bytes of one exact length, written as hex digits of either case.

    most     from `length` up to so many bytes
    short    this length is allowed too, and filled up with zeros to `length`
    nonzero  all-zero bytes are refused, where they stand for "there is none"
    from_pem a file may also give a public key in PEM; this turns it into the bytes (ValueError when it cannot)
    """

    length: int
    most: int | None = None
    short: int | None = None
    nonzero: bool = False
    from_pem: Callable[[str], bytes] | None = None

    def check(self, value: object, name: str) -> bytes:
        expected = self._lengths(1) + " bytes"
        if not isinstance(value, bytes | bytearray | memoryview):
            refuse(name, expected, value, TypeError)
        data = bytes(value)
        if not (self.length <= len(data) <= (self.most or self.length) or len(data) == self.short):
            refuse(name, expected, value)
        if self.nonzero and not any(data):
            raise ValueError(f"{name}: every byte is zero, which stands for none")
        return data.ljust(self.length, b"\0")

    def read(self, value: object, name: str) -> bytes:
        expected = self._lengths(2) + " hex digits" + (" or a public key in PEM" if self.from_pem else "")
        if not isinstance(value, str):
            refuse(name, expected, value, TypeError)
        if self.from_pem is not None and re.fullmatch(_PEM, value):
            try:
                return self.from_pem(value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if re.fullmatch(self._digits(), value) is None:
            refuse(name, expected, value)
        return bytes.fromhex(value)

    def dump(self, value: Any) -> str:
        return bytes(value).hex()

    def schema(self) -> dict[str, Any]:
        digits = {"type": "string", "pattern": exactly(("(?!0+$)" if self.nonzero else "") + self._digits())}
        return {"anyOf": [digits, {"type": "string", "pattern": exactly(_PEM)}]} if self.from_pem else digits

    def _digits(self) -> str:
        sizes = [str(self.length) if self.most is None else f"{self.length},{self.most}"]
        if self.short is not None:
            sizes.append(str(self.short))
        return f"(?:{'|'.join(f'(?:[0-9a-fA-F]{{2}}){{{size}}}' for size in sizes)})"

    def _lengths(self, each: int) -> str:
        if self.most is not None:
            return f"{each * self.length} to {each * self.most}"
        return f"{each * self.length}" + (f" or {each * self.short}" if self.short is not None else "")


@dataclasses.dataclass(frozen=True, slots=True)
class Text(Kind):
    """Printable ASCII, 1 to `most` characters."""

    most: int

    def check(self, value: object, name: str) -> str:
        expected = f"1 to {self.most} characters of printable ASCII"
        if not isinstance(value, str):
            refuse(name, expected, value, TypeError)
        if re.fullmatch(self._pattern(), value) is None:
            refuse(name, expected, value)
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": exactly(self._pattern())}

    def _pattern(self) -> str:
        return f"[ -~]{{1,{self.most}}}"


@dataclasses.dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """At least one value, any of which will do. Kept sorted and each once: order and repetition mean nothing."""

    kind: Kind

    def check(self, value: object, name: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple | set | frozenset):
            refuse(name, "a list", value, TypeError)
        if not value:
            raise ValueError(f"{name}: an empty list would allow nothing, or everything; leave it out for not asked")
        return tuple(sorted({self.kind.check(item, f"{name}[{i}]") for i, item in enumerate(value)}))

    def read(self, value: object, name: str) -> Any:
        if not isinstance(value, list):
            refuse(name, "a list", value, TypeError)
        return [self.kind.read(item, f"{name}[{i}]") for i, item in enumerate(value)]

    def dump(self, value: Any) -> list[Any]:
        return [self.kind.dump(item) for item in value]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 1, "items": self.kind.schema()}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReportDataPrefix:
    """An expected value that is shorter than REPORT_DATA, with the caller's word on the rest of it."""

    prefix: bytes
    tail: Literal["zero", "any"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefix", _PREFIX.check(self.prefix, "prefix"))
        _TAIL.check(self.tail, "tail")


REPORT_DATA_LEN: Final = 64
_PREFIX: Final = Hex(1, most=REPORT_DATA_LEN - 1)
_TAIL: Final = Choice(("zero", "any"))


@dataclasses.dataclass(frozen=True, slots=True)
class ReportData(Kind):
    """All 64 bytes, or fewer as a ReportDataPrefix. A short value is never filled up in silence."""

    def check(self, value: object, name: str) -> bytes | ReportDataPrefix:
        if isinstance(value, ReportDataPrefix):
            return value
        if isinstance(value, bytes | bytearray | memoryview) and len(bytes(value)) != REPORT_DATA_LEN:
            refuse(name, "64 bytes, or a prefix that says what follows it", value)
        return Hex(REPORT_DATA_LEN).check(value, name)

    def read(self, value: object, name: str) -> Any:
        if not isinstance(value, dict):
            return Hex(REPORT_DATA_LEN).read(value, name)
        for key in value:
            if key not in ("prefix", "tail"):
                refuse_unknown(key, ("prefix", "tail"), name)
        for key in ("prefix", "tail"):
            if key not in value:
                raise ValueError(f"{name}.{key}: missing")
        return ReportDataPrefix(
            prefix=_PREFIX.read(value["prefix"], f"{name}.prefix"),
            tail=cast(Literal["zero", "any"], _TAIL.check(value["tail"], f"{name}.tail")),
        )

    def dump(self, value: Any) -> Any:
        if isinstance(value, ReportDataPrefix):
            return {"prefix": value.prefix.hex(), "tail": value.tail}
        return value.hex()

    def schema(self) -> dict[str, Any]:
        prefix = {
            "type": "object",
            "properties": {"prefix": _PREFIX.schema(), "tail": _TAIL.schema()},
            "required": ["prefix", "tail"],
            "additionalProperties": False,
        }
        return {"anyOf": [Hex(REPORT_DATA_LEN).schema(), prefix]}


_V = TypeVar("_V")


class FrozenMap(Mapping[str, _V]):
    """A mapping that stays as it is, in its order; hashable when its values are."""

    __slots__ = ("_map",)
    _map: dict[str, _V]

    def __init__(self, items: Mapping[str, _V]) -> None:
        object.__setattr__(self, "_map", dict(items))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __getitem__(self, name: str) -> _V:
        return self._map[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def __hash__(self) -> int:
        return hash(frozenset(self._map.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._map!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self._map),)


# ---- tables ----------------------------------------------------------------------------------------------------------


def about(kind: Kind, text: str) -> Mapping[str, Any]:
    """The metadata of a table's field: its kind, and one sentence for the schema."""
    return {"kind": kind, "text": text}


_T = TypeVar("_T", bound="Table")


class Table:
    """Base of a policy's frozen dataclasses. Every field has a default and the metadata that `about` makes."""

    __slots__ = ()

    TABLE: ClassVar[str] = ""  # the name of the table in a policy file; nested tables have none of their own

    def __post_init__(self) -> None:
        for field in self._fields():
            value = field.metadata["kind"].check(getattr(self, field.name), field.name)
            object.__setattr__(self, field.name, value)

    @classmethod
    def _fields(cls) -> tuple[dataclasses.Field[Any], ...]:
        return dataclasses.fields(cast(Any, cls))

    @classmethod
    def load(cls: type[_T], path: str | os.PathLike[str]) -> _T:
        """The policy of this kind in a policy file. Raises OSError and PolicyError."""
        return cls.from_file(load(path))

    @classmethod
    def from_file(cls: type[_T], file: PolicyFile) -> _T:
        """The policy of this kind in a policy file: the default one when the file has no such table."""
        table = getattr(file, cls.TABLE)
        return cls() if table is None else cls.from_dict(table)

    @classmethod
    def from_dict(cls: type[_T], table: object, path: str | None = None) -> _T:
        """Reads the table of a policy file; `path` is its dotted name, for the messages. Raises PolicyError."""
        path = cls.TABLE if path is None else path
        if not isinstance(table, Mapping):
            refuse(path, "a table", table, PolicyError)
        kinds = {field.name: field.metadata["kind"] for field in cls._fields()}
        try:
            for name in table:
                if name not in kinds:
                    refuse_unknown(name, kinds)
            return cls(**{name: kinds[name].read(value, name) for name, value in table.items()})
        except (TypeError, ValueError) as error:
            raise PolicyError(f"{path}.{error}") from None

    def to_dict(self) -> dict[str, Any]:
        """Every field, defaults too, as a file writes it: ready for JSON, and `from_dict` gives an equal table."""
        return {field.name: field.metadata["kind"].dump(getattr(self, field.name)) for field in self._fields()}

    def replace(self: _T, **changes: Any) -> _T:
        """A copy with these fields changed, checked like any other."""
        return cast(_T, dataclasses.replace(cast(Any, self), **changes))

    def digest(self) -> str:
        """Names this policy: SHA-256, in hex, of `to_dict` in one canonical form."""
        return canonical_digest(self.to_dict())

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON Schema (2020-12) of the table in a file."""
        properties = {}
        for field in cls._fields():
            kind, text = field.metadata["kind"], field.metadata["text"]
            properties[field.name] = {"description": text, "default": kind.dump(field.default), **kind.schema()}
        return {"type": "object", "properties": properties, "additionalProperties": False}


@dataclasses.dataclass(frozen=True, slots=True)
class Nested(Kind):
    """A table within a table."""

    table: type[Table]

    def check(self, value: object, name: str) -> Table:
        if not isinstance(value, self.table):
            refuse(name, self.table.__name__, value, TypeError)
        return value

    def read(self, value: object, name: str) -> Table:
        return self.table.from_dict(value, name)

    def dump(self, value: Any) -> dict[str, Any]:
        return cast(Table, value).to_dict()

    def schema(self) -> dict[str, Any]:
        return self.table.schema()
