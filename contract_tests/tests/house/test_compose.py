"""deploy/compose.yaml: both apps get the same of everything, and every setting there is"""

import re
import shlex

from contract_tests.tests.house.deployment import DEPLOY, IMAGES, SETTINGS, compose, compose_values, default_of
from contract_tests.tests.house.test_house import ROOT
from shared_core.settings import Settings


def test_both_apps_have_the_same_environment_and_every_setting_in_it(monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    services = compose()["services"]
    shared = compose()["x-settings"]
    assert services["flask"]["environment"] == services["fastapi"]["environment"] == shared
    assert services["migrate"]["environment"] == shared
    assert list(shared) == [name.upper() for name in Settings.model_fields] + ["WEB_CONCURRENCY"]
    assert Settings(**compose_values()).app_env == "production"


def test_what_compose_leaves_to_env_has_the_setting_s_own_name_and_default():
    decided = {"APP_ENV", "DATABASE_URL", "UPLOAD_DIR", "SESSION_STORE", "TRUSTED_PROXIES", "RATE_LIMIT_STORE"}
    decided |= {"METRICS_DIR"}
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
    for name, value in compose()["x-settings"].items():
        if name in SETTINGS - decided - {"PUBLIC_BASE_URL"}:
            assert value == f"${{{name}:-{example[name]}}}"


def test_the_apps_of_compose_differ_in_image_and_published_port_alone():
    services = compose()["services"]
    differ = {"image", "build", "ports"}
    flask, fastapi = ({k: v for k, v in services[name].items() if k not in differ} for name in IMAGES.values())
    assert flask == fastapi
    assert flask["read_only"]
    assert flask["cap_drop"] == ["ALL"]
    for name in IMAGES.values():
        build = services[name]["build"]
        assert (DEPLOY / build["context"] / build["dockerfile"]).exists()


def test_compose_starts_each_service_once_what_it_needs_is_there():
    services = compose()["services"]
    assert {name: set(each.get("depends_on", ())) for name, each in services.items()} == {
        "flask": {"migrate", "redis"},
        "fastapi": {"migrate", "redis"},
        "migrate": {"postgres"},
        "postgres": set(),
        "redis": set(),
        "nginx": {"flask", "fastapi"},
    }
    for each in services.values():
        for name, wait in each.get("depends_on", {}).items():
            ends = services[name]["restart"] == "no"
            assert wait["condition"] == ("service_completed_successfully" if ends else "service_healthy")
            assert ends or "healthcheck" in services[name] or name in IMAGES.values()
    assert services["migrate"]["command"] == shlex.split("python -m shared_core.migrations")


def test_the_stores_of_compose_are_those_that_the_settings_name():
    chosen, services = Settings(**compose_values()), compose()["services"]
    database, sessions = chosen.database_url.get_secret_value(), chosen.session_store.get_secret_value()
    told = {name: default_of(value) for name, value in services["postgres"]["environment"].items()}
    account = f"{told['POSTGRES_USER']}:{told['POSTGRES_PASSWORD']}"
    assert database == f"postgresql+psycopg://{account}@postgres/{told['POSTGRES_DB']}"
    assert sessions == "redis://redis:6379/0"
    redis = services["redis"]["command"]
    assert redis[redis.index("--maxmemory-policy") + 1] == "noeviction"
    for name in IMAGES.values():
        assert services[name]["volumes"] == [f"uploads:{chosen.upload_dir}"]
    for each in services.values():
        for volume in each.get("volumes", ()):
            source = volume.partition(":")[0]
            # The certificate is the operator's own.
            assert source in {*compose()["volumes"], "./tls"} or (DEPLOY / source).exists()


def test_the_connections_of_both_apps_fit_into_postgresql():
    """PostgreSQL allows 100, of which three are kept for its superuser."""
    chosen = Settings(**compose_values())
    processes = int(default_of(compose()["x-settings"]["WEB_CONCURRENCY"]))
    assert 2 * processes * chosen.pool_size <= 97


def test_the_proxy_s_address_is_in_the_network_and_given_to_no_one_else():
    from ipaddress import ip_address, ip_network

    (network,) = compose()["networks"]["service"]["ipam"]["config"]
    address = ip_address(compose()["services"]["nginx"]["networks"]["service"]["ipv4_address"])
    assert compose()["x-settings"]["TRUSTED_PROXIES"] == str(address)
    assert address in ip_network(network["subnet"])
    assert address not in ip_network(network["ip_range"])
