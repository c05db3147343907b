"""nginx before both apps: it changes neither path nor answer, and moves the traffic by one line"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contract_tests.tests.house.deployment import (
    DEPLOY,
    IMAGES,
    SITE,
    TRAFFIC,
    compose,
    image_command,
    nginx,
    only,
    proxy,
    told,
)
from contract_tests.tests.house.test_house import ROOT
from shared_core.settings import Settings


def test_every_request_goes_on_as_it_came():
    """A path reaches the app as it was sent where proxy_pass has no URI and nothing rewrites."""
    server = proxy()
    passes = [location.value("proxy_pass") for location in server.all("location") if location.all("proxy_pass")]
    assert passes
    assert set(passes) == {"http://$app"}
    assert server.value("merge_slashes") == "off"
    assert server.value("proxy_redirect") == "off"
    assert server.value("proxy_next_upstream") == "off"
    assert not re.search(
        r"\b(rewrite|try_files|alias|error_page|sub_filter|gzip on)\b", (DEPLOY / "nginx.conf").read_text()
    )


def test_what_the_client_says_of_itself_is_replaced():
    headers = {each.words[1]: " ".join(each.words[2:]) for each in proxy().all("proxy_set_header")}
    assert headers == {
        "Connection": "",
        "Host": "$host",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$scheme",
        **dict.fromkeys(("X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded"), ""),
    }
    # Headers set in a location would replace all of the server's.
    assert not [each for each in proxy().all("location") if each.all("proxy_set_header")]


def location(path):
    (found,) = [each for each in proxy().all("location") if each.words[1:] in [("=", path), (path,)]]
    return found


def test_uploads_and_exports_flow_and_metrics_stay_inside():
    from shared_core.uploads import Uploads

    assert location("/files").value("proxy_request_buffering") == "off"
    assert location("/users.csv").value("proxy_buffering") == "off"
    assert location("/metrics").value("return") == "404"
    megabytes = re.fullmatch(r"(\d+)m", proxy().value("client_max_body_size"))[1]
    most = Uploads(Path(), Settings.model_fields["max_upload_bytes"].default, new_key=str).most_body_bytes
    assert most < int(megabytes) << 20 < 2 * most


def test_the_routes_that_the_proxy_names_exist():
    paths = json.loads((ROOT / "shared_core/openapi.json").read_bytes())["paths"]
    named = {each.words[-1] for each in proxy().all("location")} - {"/"}
    assert named <= set(paths)
    assert "/healthz" in paths


def test_what_a_request_holds_comes_into_no_log_of_the_proxy():
    (form,) = SITE.all("log_format")
    assert not re.search(r"request_uri|\$uri|\$request\b|args|http_|cookie|query|body", " ".join(form.words))
    assert {"$app", "$status"} <= set(" ".join(form.words).strip("'").split())
    assert proxy().value("error_log").endswith(" crit")


def test_only_tls_answers():
    (plain,) = [server for server in SITE.all("server") if server is not proxy()]
    assert plain.value("return") == "308 https://$host$request_uri"
    assert {each.words[1] for each in plain.all("listen")} == {"80", "[::]:80"}
    assert {each.words[1:3] for each in proxy().all("listen")} == {("443", "ssl"), ("[::]:443", "ssl")}


def addresses(way):
    return {each.words[1]: each.value("server") for each in nginx(TRAFFIC[way]).all("upstream")}


def test_the_proxy_finds_both_apps_where_they_listen():
    published = {}
    for role, image in IMAGES.items():
        bound = image_command(role)
        assert "0.0.0.0:8000" in bound or bound[-4:] == ["--host", "0.0.0.0", "--port", "8000"]
        assert only(role, "EXPOSE") == "8000"
        assert addresses("compose")[role] == f"{image}:8000"
        (published[role],) = compose()["services"][image]["ports"]
        host, outside = re.search(r"--(?:bind|host) ([\d.]+)(?::| --port )(\d+)$", told(role, "ExecStart")).groups()
        assert addresses("systemd")[role] == f"{host}:{outside}"
        # In both ways an operator meets either app at the same address.
        assert published[role] == f"{host}:{outside}:8000"
    assert len(set(published.values())) == 2


def test_the_two_files_of_traffic_differ_in_addresses_alone():
    def without_addresses(way):
        text = TRAFFIC[way].read_text()
        for role, address in addresses(way).items():
            text = text.replace(f"upstream {role} {{\n    server {address};", f"upstream {role} {{\n    server {role};")
        return text

    assert without_addresses("compose") == without_addresses("systemd")


@pytest.mark.parametrize("way", sorted(TRAFFIC))
def test_traffic_goes_to_the_original_and_is_moved_by_one_line(way, tmp_path):
    assert shares(TRAFFIC[way]) == [("*", "original")]
    moved = tmp_path / "traffic.conf"
    moved.write_text(TRAFFIC[way].read_text().replace("# 1% port;\n", "1% port;\n"))
    assert shares(moved) == [("1%", "port"), ("*", "original")]


def shares(path):
    (split,) = nginx(path).all("split_clients")
    assert split.words[1:] == ("$request_id", "$app")
    assert {each.words[1] for each in split.block} <= set(addresses("compose"))
    return [each.words for each in split.block]


@pytest.mark.services
@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
@pytest.mark.parametrize("way", sorted(TRAFFIC))
def test_nginx_understands_its_configuration(way, tmp_path):
    import trustme

    certificate = trustme.CA().issue_cert("localhost")
    (tmp_path / "tls").mkdir()
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "tls/service.crt")
    certificate.private_key_pem.write_to_path(tmp_path / "tls/service.key")
    (tmp_path / "service").mkdir()
    # The names of compose resolve in its network only.
    shutil.copy(TRAFFIC[way], tmp_path / "service")
    text = (
        (tmp_path / "service/traffic.conf")
        .read_text()
        .replace("flask:", "127.0.0.1:")
        .replace("fastapi:", "127.0.0.2:")
    )
    (tmp_path / "service/traffic.conf").write_text(text)
    site = (DEPLOY / "nginx.conf").read_text().replace("/var/log/nginx/", f"{tmp_path}/")
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ include site.conf; }}\n")
    command = ["nginx", "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
