"""What the probes of a pair add to a run's verdict: each difference once, and what no probe may ever do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contract_tests.live.probes.pairs import ROLES, ProbedPair
from contract_tests.live.probes.prober import Result, await_closed
from contract_tests.parity.drivers.raw import Conversation
from contract_tests.parity.findings import Finding
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.probes import Probe
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.servers import Server
from contract_tests.parity.telling import hidden_values, tell_differences, visible
from contract_tests.parity.verdict import Run
from contract_tests.suite.contract import PLANTED_SECRET

# Seconds until a server has let go of the last connection: uvicorn keeps an idle one for 5.
SETTLES = 10.0
# The specimen fails on purpose: there a 500 is an answer like any other.
MAY_FAIL = frozenset({"quirks"})
SHOWN = 300


def judge_probes(run: Run, pair: ProbedPair, *, only: frozenset[str] = frozenset()) -> list[Result]:
    """Send the probes of a pair, or those of these ids and areas, and note what comes of them. Raises WorldError."""
    results = []
    for result in pair.prober.run(each for each in pair.probes if not only or {each.id, each.area} & only):
        results.append(result)
        faults = list(broken_promises(result, may_fail=pair.name in MAY_FAIL))
        for fault in faults:
            run.failures[f"{pair.name} {result.probe.id}: {fault}"] = told(result, Secrets())
        note_differences(run, result)
        for _, entry in result.accepted:
            run.accepted[str(entry)] = run.accepted.get(str(entry), 0) + 1
        outcome = "failed" if faults or result.differences else "passed"
        run.count(f"probes/{result.probe.area}", "both", outcome)
    return results


def judge_servers(run: Run, pair: ProbedPair) -> None:
    """What is known once no more will be sent: who is down, what a server still holds, what stands in its log."""
    for role, side in zip(ROLES, (pair.prober.original, pair.prober.port), strict=True):
        server, name = pair.servers[role], f"{role} of the {pair.name}"
        outcome = side.target.send(Request("GET", b"/healthz", ((b"Host", b"localhost"),)))
        run.names[role] = side.target.name
        if outcome.failure:
            run.down.append(down(name, outcome, server))
        # Our own connections are no one's that the probes left.
        side.target.close()
        run.failures |= left_behind(name, server)


def down(name: str, outcome: Response, server: Server | None) -> str:
    """What to tell of an app that does not answer at the end."""
    tail = f"; the last it wrote:\n{server.log_tail()}" if server else ""
    return f"the {name} does not answer any more ({outcome.failure}){tail}"


def broken_promises(result: Result, *, may_fail: bool) -> Iterator[str]:
    """What neither app may do, whatever it is sent, and though both did it alike."""
    for role, conversation in (("original", result.original), ("port", result.port)):
        if conversation.ending == "hangs" or any(each.response.failure == "timeout" for each in conversation.answers):
            yield f"the {role} hangs"
        if any(answer.response.failure == "refused" for answer in conversation.answers):
            yield f"the {role} is down"
        if not may_fail and any(answer.response.status == 500 for answer in conversation.answers):
            yield f"the {role} answers 500"


def left_behind(name: str, server: Server) -> dict[str, str]:
    """What a server still holds once all probes are over, and secrets in its log."""
    found = {}
    if still_open := await_closed(server.port, 0, seconds=SETTLES):
        found[f"the {name} after the probes"] = f"{still_open} connections are left open"
    if PLANTED_SECRET in server.log_tail(1_000_000):
        found[f"the {name}'s log"] = "a secret that a probe sent stands in the server's log"
    return found


def note_differences(run: Run, result: Result) -> None:
    """Add what differs to the run's findings, by the probe's area."""
    secrets = Secrets()
    for request in result.requests:
        secrets.learn(request)
    for _, difference in result.differences:
        fingerprint = secrets.hide(difference.fingerprint(f"probes/{result.probe.area}"))
        if fingerprint not in run.differences:
            original, port = hidden_values(difference, secrets)
            run.differences[fingerprint] = Finding(
                fingerprint=fingerprint,
                level=difference.level,
                kind=difference.kind,
                original=original,
                port=port,
                exposes=None,
                cases=[],
                curl=again(result),
                told=told(result, secrets),
            )
        if result.probe.id not in run.differences[fingerprint].cases:
            run.differences[fingerprint].cases.append(result.probe.id)


def told(result: Result, secrets: Secrets) -> str:
    """All about a probe for a person: what differs, what was sent, what each side made of it, how to ask again."""
    differences = [difference for _, difference in result.differences]
    return "\n".join(
        [
            f"{result.probe.id} ({result.probe.special}): {len(differences)} differences",
            "",
            *tell_differences(differences, secrets),
            "",
            f"  sent      {visible(secrets.body(result.probe.text[:SHOWN], of_request=True))}",
            f"  original  {shown(result.original)}",
            f"  port      {shown(result.port)}",
            "",
            "to ask again",
            f"  {again(result)}",
        ]
    )


def shown(conversation: Conversation) -> str:
    """A conversation in one line."""
    answers = [str(each.response.status or each.response.failure) for each in conversation.answers]
    return f"{' '.join(answers) or 'no answer'}, {conversation.ending}"


def again(result: Result) -> str:
    return f"python -m contract_tests.live.probes {result.probe.id}"


def unknown_names(names: Iterable[str], probes: Iterable[Probe]) -> list[str]:
    """Which of these are no id and no area of any probe."""
    known = {name for probe in probes for name in (probe.id, probe.area)}
    return sorted(set(names) - known)
