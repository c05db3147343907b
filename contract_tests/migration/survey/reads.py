"""What a use reads or writes of a proxy: `request.args['tag']`, its default, and the parameter that would carry it."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any

from contract_tests.migration.survey.expressions import text_of

# Members that hold values by a key.
_MAPPINGS = {
    "request": {"args", "form", "values", "headers", "cookies", "files", "view_args", "json", "environ"},
    "current_app": {"config", "extensions"},
}
# Methods that give the body, and may be asked for a key of it.
_BODIES = {"get_json"}
_READS = {"get", "getlist", "get_all", "getall", "get_namespace"}
_WRITES = {
    "setdefault",
    "update",
    "add",
    "append",
    "extend",
    "setlist",
    "__setitem__",
    "from_mapping",
    "from_object",
    "from_pyfile",
}
_DELETES = {"pop", "clear", "popitem", "__delitem__", "poplist"}

_TYPES = {
    "request.method": "str", "request.path": "str", "request.full_path": "str", "request.url": "str",
    "request.base_url": "str", "request.host": "str", "request.host_url": "str", "request.url_root": "str",
    "request.root_url": "str", "request.script_root": "str", "request.scheme": "str", "request.endpoint": "str | None",
    "request.blueprint": "str | None", "request.remote_addr": "str | None", "request.referrer": "str | None",
    "request.is_secure": "bool", "request.is_json": "bool", "request.data": "bytes", "request.get_data()": "bytes",
    "request.args": "Mapping[str, str]", "request.form": "Mapping[str, str]", "request.values": "Mapping[str, str]",
    "request.cookies": "Mapping[str, str]", "request.headers": "Mapping[str, str]",
    "request.view_args": "dict[str, Any]",
    "request.files": "Mapping[str, FileStorage]", "request.json": "Any", "request.get_json()": "Any",
    "request.user_agent": "str", "request.mimetype": "str", "request.content_type": "str | None",
    "request.content_length": "int | None", "request.authorization": "Authorization | None",
    "request.stream": "BinaryIO",
    "request.environ": "dict[str, Any]", "request": "Request", "session": "MutableMapping[str, Any]", "g": "Any",
    "current_app": "Flask", "current_app.config": "Mapping[str, Any]", "current_app.logger": "logging.Logger",
    "current_app.name": "str", "current_app.debug": "bool", "current_app.testing": "bool",
    "current_app.root_path": "str",
    "current_app.secret_key": "str",
}  # fmt: skip
_OF_KEY = {
    "request.args": "str", "request.form": "str", "request.values": "str", "request.headers": "str",
    "request.cookies": "str", "request.files": "FileStorage",
}  # fmt: skip
_CONVERTERS = {"int", "float", "bool", "str", "Decimal", "UUID"}


@dataclass(slots=True)
class Read:
    """`what` is the text of what is used, without its default; `key` is None where it is none or not told.

    `access` is read, write, update, delete, pass, alias or return. `default` is text, None where there is none.
    """

    what: str
    access: str
    member: str = ""
    key: str | int | None = None
    default: str | None = None
    kind: str | None = None
    many: bool = False

    def __str__(self) -> str:
        return f"{self.access} {self.what}" + (f" = {self.default}" if self.default is not None else "")


def read_of(proxy: str, steps: tuple[Any, ...], how: Any, *, bare: bool, own: str | None = None) -> Read:
    """What the steps after a proxy's name do; `how` is what becomes of it, `bare` that nothing is taken of it there.

    `own` is the name of an object that is made with the help of the proxy, and stands for itself.
    """
    if own:
        return Read(own, _access(how, bare=bare), member=own.rpartition(".")[2])
    made = Read(proxy, "")
    rest = [step for step in steps if step[0] in "asc"]
    if proxy == "session":
        rest = _item(made, rest, attributes=True)
    elif proxy == "g":
        rest = _of_g(made, rest)
    elif rest and rest[0][0] == "a":
        rest = _member(made, proxy, rest)
    made.access = made.access or _access(how, bare=bare)
    if isinstance(how, list) and how[0] == "in" and not rest:
        _asked(made, proxy, how[1])
    if made.access == "read" and isinstance(how, list) and how[0] == "pass" and how[1] in _CONVERTERS:
        made.kind = made.kind or how[1]
    return made


def _access(how: Any, *, bare: bool) -> str:
    if how in ("w", "d", "u"):
        return {"w": "write", "d": "delete", "u": "update"}[how]
    if bare and how == "=":
        return "alias"
    if bare and how == "return":
        return "return"
    return "pass" if bare and isinstance(how, list) and how[0] == "pass" and how[1] != "getattr" else "read"


def _member(made: Read, proxy: str, steps: list[Any]) -> list[Any]:
    (_, name, default), rest = steps[0], steps[1:]
    made.what, made.member = f"{proxy}.{name}", name
    if name in _MAPPINGS.get(proxy, ()):
        return _item(made, rest)
    if rest and rest[0][0] == "c":
        made.what += "()"
        return _item(made, rest[1:]) if name in _BODIES else rest[1:]
    made.default = text_of(default) if default else None
    return rest


def _of_g(made: Read, steps: list[Any]) -> list[Any]:
    if not steps or steps[0][0] != "a":
        return steps
    name, default = steps[0][1], steps[0][2]
    if len(steps) > 1 and steps[1][0] == "c" and name in ("get", "pop", "setdefault"):
        return _by_method(made, name, steps[1], steps[2:], attribute=True)
    made.what, made.member, made.key = f"g.{name}", name, name
    made.default = text_of(default) if default else None
    return steps[1:]


def _item(made: Read, steps: list[Any], *, attributes: bool = False) -> list[Any]:
    """The key of a mapping, by `[...]` or by a method."""
    if not steps:
        return steps
    if steps[0][0] == "s":
        made.key = steps[0][1]
        made.what += f"[{'...' if made.key is None else repr(made.key)}]"
        return steps[1:]
    if steps[0][0] != "a":
        return steps
    name = steps[0][1]
    if len(steps) > 1 and steps[1][0] == "c":
        return _by_method(made, name, steps[1], steps[2:], attribute=False)
    if attributes:
        made.what, made.member = f"{made.what}.{name}", name
        return steps[1:]
    return steps


def _by_method(made: Read, name: str, call: tuple[Any, ...], rest: list[Any], *, attribute: bool) -> list[Any]:
    _, arguments, keywords = call
    made.access = "write" if name in _WRITES else "delete" if name in _DELETES else ""
    if name in ("get", "getlist", "pop", "setdefault", "getall", "get_all", "poplist", "add", "setlist"):
        given = arguments[0] if arguments else keywords.get("key")
        made.key = given[1] if given and given[0] == "k" else None
        shown = "..." if made.key is None else made.key if attribute else repr(made.key)
        made.what += f".{shown}" if attribute and made.key is not None else f"[{shown}]"
        made.member = str(made.key) if attribute else made.member
        made.many = name in ("getlist", "getall", "get_all")
        default = arguments[1] if len(arguments) > 1 else keywords.get("default")
        if name in ("get", "pop") and (len(arguments) > 1 or "default" in keywords):
            made.default = text_of(default)
        elif name == "get":
            made.default = "None"
        kind = keywords.get("type")
        made.kind = kind[1] if kind and kind[0] == "n" else None
    return rest


def _asked(made: Read, proxy: str, key: str | int | None) -> None:
    """`"tag" in request.args` asks for that key."""
    if made.key is not None or made.what.endswith("]"):
        return
    if proxy == "g" and made.what == "g":
        if key is not None:
            made.what, made.member, made.key = f"g.{key}", str(key), key
    elif (proxy == "session" and made.what == "session") or made.member in _MAPPINGS.get(proxy, ()):
        made.key = key
        made.what += f"[{'...' if key is None else repr(key)}]"


def parameter_of(read: Read, proxy: str) -> str | None:
    """The parameter that would carry what is read: `tag: str = "unidentified"`; what is written is given back."""
    owner = read.what.partition("[")[0]
    if read.access in ("write", "delete", "update"):
        if proxy == "session":
            return "session: MutableMapping[str, Any]"
        return f"-> {_name(str(read.key or read.member or proxy))}" if proxy == "g" else None
    if read.key is None and read.member and proxy != "session":
        kind = _TYPES.get(owner.partition("()")[0] + ("()" if "()" in owner else ""), "Any")
        name = {"get_json": "body", "json": "body", "get_data": "data"}.get(read.member, read.member)
        return f"{_name(name)}: {kind}"
    if read.key is None:
        return f"{'app' if proxy == 'current_app' else _name(proxy.strip('_'))}: {_TYPES.get(proxy, 'Any')}"
    return _of_key(read, _OF_KEY.get(owner, "Any"))


def _of_key(read: Read, kind: str) -> str:
    kind = read.kind if read.kind in _CONVERTERS else "Any" if read.kind else kind
    if read.many:
        return f"{_name(str(read.key))}: list[{kind}]"
    if read.default is None:
        return f"{_name(str(read.key))}: {kind}"
    if read.default == "None":
        return f"{_name(str(read.key))}: {kind if kind == 'Any' else f'{kind} | None'} = None"
    quoted = f'"{read.default[1:-1]}"' if re.fullmatch(r"'[^'\"\\]*'", read.default) else read.default
    if kind == "Any":
        kind = (
            "str"
            if quoted.startswith('"')
            else "bool"
            if quoted in ("True", "False")
            else "int"
            if quoted.isdigit()
            else kind
        )
    return f"{_name(str(read.key))}: {kind} = {quoted}"


def _name(text: str) -> str:
    """A name in Python's form: `X-Request-ID` is `x_request_id`."""
    made = (
        re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text) if not text.isupper() else text)
        .strip("_")
        .lower()
    )
    made = f"_{made}" if not made or made[0].isdigit() else made
    return f"{made}_" if keyword.iskeyword(made) else made
