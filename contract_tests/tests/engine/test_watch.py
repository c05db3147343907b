"""`parity watch` judges by tests that keep what they promise: how often they are wrong, and what they notice"""

import math
import random

import pytest

from contract_tests.parity.metrics import limits
from contract_tests.parity.metrics.comparing import ALIKE, UNCLEAR, WORSE, Terms, compare_routes, worst
from contract_tests.parity.metrics.families import routes_of
from contract_tests.parity.metrics.samples import read_text
from contract_tests.tests.engine.measured import drawn, histogram

DRAWS = 200
ROUTES = 6


def table(rng, n, m, *, port=None):
    """Two apps with six routes, unlike each other; `port` is what the port's last route has otherwise."""
    shapes = [
        {
            "median": 0.0011 * 2.3**each,
            "spread": 0.3 + 0.15 * each,
            "errors": 0.01 * (each % 3),
            "refusals": 0.02 * each,
        }
        for each in range(ROUTES)
    ]
    original = {str(at): drawn(rng, n, **shape) for at, shape in enumerate(shapes)}
    shapes[-1] = shapes[-1] | (port or {})
    return original, {str(at): drawn(rng, m, **shape) for at, shape in enumerate(shapes)}


def verdicts(n, m, terms, *, draws=DRAWS, **changes):
    """The verdicts of so many tables, and of the port's last route in each."""
    found = [compare_routes(*table(random.Random(seed), n, m, **changes), terms) for seed in range(draws)]
    return [worst(row.verdict for row in rows) for rows in found], [rows[-1].verdict for rows in found]


def at_most(share, draws=DRAWS):
    """How many of these draws a share may reach where it is true, seen less than once in a thousand runs."""
    return share * draws + 3.1 * math.sqrt(share * (1 - share) * draws)


@pytest.mark.parametrize(("n", "m"), [(1000, 60), (500, 500)])
def test_of_two_apps_that_are_alike_few_are_called_worse(n, m):
    """The level is that of a whole table: one false word among all routes and kinds counts."""
    tables, _ = verdicts(n, m, Terms(confidence=0.9))
    assert tables.count(WORSE) <= at_most(0.1)


def test_at_the_limit_of_what_is_tolerated_few_are_called_worse_or_alike():
    """The latency alone, the quantile 1.25 times: both words would be false, each at the level that is asked for."""
    terms, shape = Terms(confidence=0.9, kinds=("latency",)), {"median": 0.006, "spread": 0.5}
    found = []
    for seed in range(DRAWS):
        rng = random.Random(seed)
        slower = shape | {"median": 0.006 * 1.25}
        (row,) = compare_routes({"a": drawn(rng, 900, **shape)}, {"a": drawn(rng, 300, **slower)}, terms)
        found.append(row.verdict)
    assert found.count(WORSE) <= at_most(0.1)
    assert found.count(ALIKE) <= at_most(0.1)


@pytest.mark.parametrize(("m", "power"), [(60, 0.6), (150, 0.97)])
def test_a_route_that_is_twice_as_slow_is_noticed_among_six(m, power):
    shape = {"median": 0.02, "spread": 0.5}
    noticed = 0
    for seed in range(100):
        rng = random.Random(seed)
        original, port = table(rng, 1000, m)
        original["5"], port["5"] = drawn(rng, 1000, **shape), drawn(rng, m, **shape | {"median": 0.04})
        noticed += compare_routes(original, port, Terms())[-1].verdict == WORSE
    assert noticed >= power * 100


def test_a_route_that_fails_on_the_port_is_noticed_among_six():
    """2 % of the original's answers are 5xx, and 15 % of the port's."""
    _, last = verdicts(1000, 200, Terms(), draws=100, port={"errors": 0.15})
    assert last.count(WORSE) >= 95


def test_apps_that_are_alike_are_called_so_where_the_traffic_is_enough():
    tables, _ = verdicts(40_000, 20_000, Terms(errors_within=0.01), draws=4)
    assert tables == [ALIKE] * 4


def test_a_port_that_is_faster_and_fails_less_is_alike():
    rng = random.Random(1)
    ours, theirs = drawn(rng, 3000, errors=0.05, median=0.02), drawn(rng, 3000, median=0.004)
    (row,) = compare_routes({"a": ours}, {"a": theirs}, Terms())
    assert row.verdict == ALIKE


def test_a_few_requests_tell_nothing_and_say_how_many_would():
    rng = random.Random(1)
    (row,) = compare_routes({"a": drawn(rng, 2000)}, {"a": drawn(rng, 20)}, Terms())
    errors, refusals, latency = row.judged
    assert [each.verdict for each in row.judged] == [UNCLEAR] * 3
    assert 25 < errors.needed() < 35  # (1 - 0.005) ** 600 is 5 %
    assert 5 < refusals.needed() < 10
    assert latency.needed() > 1


def test_three_errors_in_a_hundred_are_worse_where_the_original_had_none():
    rng = random.Random(1)
    ours, theirs = drawn(rng, 9900), drawn(rng, 100)
    theirs.statuses["5xx"] = 3
    (row,) = compare_routes({"a": ours}, {"a": theirs}, Terms())
    failed = row.judged[0]
    assert failed.verdict == WORSE
    assert failed.chance == pytest.approx(math.comb(100, 3) / math.comb(10_000, 3), rel=1e-6)


def test_times_on_either_side_of_a_bound_are_not_far_apart():
    """9.5 and 10.5 ms: by even spreading the second app would have 24 ms, and the first one 10."""
    near = [histogram([each] * 1000).quantile(0.95) for each in (0.0095, 0.0105)]
    assert near[1] / near[0] < 1.25


def test_a_quantile_beyond_the_last_bound_is_no_less_than_that():
    slow = histogram([12.0] * 100)
    assert slow.quantile(0.95) == 10.0
    assert slow.upper(0.95, 1.0) == math.inf


@pytest.mark.parametrize("spread", [0.2, 0.6, 1.2])
@pytest.mark.parametrize("median", [0.0004, 0.003, 0.04, 0.7])
def test_a_quantile_of_buckets_is_near_the_true_one(median, spread):
    rng = random.Random(3)
    times = sorted(rng.lognormvariate(math.log(median), spread) for _ in range(20_000))
    assert histogram(times).quantile(0.95) == pytest.approx(times[19_000], rel=0.15)


def test_tails_and_limits_are_those_of_the_tables():
    assert limits.at_least(3, 10, 0.5) == pytest.approx(968 / 1024)
    assert limits.at_most(2, 10, 0.5) == pytest.approx(56 / 1024)
    z = limits.deviations(0.95)
    assert limits.upper_share(0, 600, z) == pytest.approx(1 - 0.05 ** (1 / 600))
    assert limits.lower_share(600, 600, z) == pytest.approx(0.05 ** (1 / 600))
    # Clopper and Pearson's own example of 1934: 2.5 % on each side.
    two_sided = limits.deviations(0.975)
    assert limits.lower_share(3, 10, two_sided) == pytest.approx(0.0667, abs=1e-4)
    assert limits.upper_share(3, 10, two_sided) == pytest.approx(0.6525, abs=1e-4)
    # Fisher's tea: all four cups of eight told by chance once in 70.
    assert limits.fisher(0, 4, 4, 4) == pytest.approx(1 / 70)


def test_many_are_counted_as_few_are():
    """The quick limits of large numbers agree with the exact ones."""
    z = limits.deviations(0.99)
    assert limits._corrected(2000, 50_000, z, -1) == pytest.approx(limits.lower_share(2000, 50_000, z), rel=0.01)
    exact = limits.fewest_above(39_000, 0.05, 0.01)
    assert 39_000 * 0.05 + limits._spread(39_000, 0.05, 0.01) == pytest.approx(exact, rel=0.005)


def test_a_histogram_without_its_last_bound_has_one_all_the_same():
    samples = read_text('a_seconds_bucket{route="/",le="1"} 3\na_seconds_count{route="/",status="200"} 3\n')
    (route,) = routes_of(samples, "port").values()
    assert (route.seconds.bounds, route.seconds.count, route.seconds.quantile(0.95) <= 1) == ((1.0, math.inf), 3, True)
