"""The certified npm package oidc-provider as the provider of a sign-in: what it refuses is no opinion of ours."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from urllib.parse import quote, urljoin

import filelock
import httpx
import trustme

from contract_tests.parity.servers import Server

SOURCE = Path(__file__).with_name("oidc_provider")
INSTALLED = Path(__file__).parents[2] / "var" / "oidc_provider"
NODE = (20, 12)
_GET_NODE = f"install Node.js 22 (or {'.'.join(map(str, NODE))} at least) with its npm"
# Without a network npm would wait for more than a minute between its attempts.
_PATIENCE = ("--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", *_PATIENCE)
_SECONDS = 100.0  # for an install, another worker's included; pytest ends a test after 120
_REDIRECTS = 10
_FORM = re.compile(r'<form method="post" action="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


class NodeProvider:
    """An OpenID provider with one client and every account; entering the context starts it, leaving it ends it.

    Account `ada` is subject sub-ada, named Ada, with ada@contoso.example. `redirect_uri` and `more` are the only
    addresses that it sends anyone to, and after a sign-out the roots of their sites. `folder` is where the file of its
    certificate authority goes; without it that is a folder of its own, deleted in the end.
    """

    client_id = "aaaa1111-2222-bbbb-3333-cccc4444dddd"
    client_secret = "N~client.secret+with/signs=&%"

    def __init__(self, redirect_uri: str, *more: str, folder: Path | None = None) -> None:
        self.redirect_uris = (redirect_uri, *more)
        self.authority = ""
        self._folder = folder
        self._stack = ExitStack()

    def start(self) -> None:
        """Start it on a free port. Raises RuntimeError where `unavailable()`, ServerError where it does not start."""
        reason = unavailable()
        if reason is not None:
            raise RuntimeError(reason)
        with ExitStack() as stack:
            folder = self._folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provider-")))
            self.ca_file = folder / "node-provider-ca.pem"
            server = stack.enter_context(self._server())
            self.authority = f"https://localhost:{server.port}/tenant"
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """End it; a second call does nothing."""
        self._stack.close()

    def __enter__(self) -> NodeProvider:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def settings(self) -> dict[str, str]:
        """The service's settings to sign in here."""
        return {
            "msal_client_id": self.client_id,
            "msal_client_secret": self.client_secret,
            "msal_authority": self.authority,
            "msal_ca_file": str(self.ca_file),
        }

    def answer(self, url: str, *, account: str | None = "ada") -> str:
        """Where the provider sends a browser that asked for `url` once `account` signs in; None declines.

        Each time it is a browser that the provider has not seen; it confirms a sign-out, too. Raises ValueError where
        the provider shows an error instead.
        """
        trust = ssl.create_default_context(cafile=self.ca_file)
        cookies = {"account": quote(account or "", safe="")}
        with httpx.Client(verify=trust, trust_env=False, cookies=cookies, timeout=10) as browser:
            for _ in range(_REDIRECTS):
                page = browser.get(url)
                if form := _FORM.search(page.text):
                    page = browser.post(form[1], data=dict(_HIDDEN.findall(page.text)))
                if not page.has_redirect_location:
                    raise ValueError(f"the provider answers {page.status_code}: {page.text}")
                url = urljoin(url, page.headers["Location"])
                if not url.startswith(f"{self.authority}/"):
                    return url
        raise ValueError(f"the provider sends from page to page, at last to {url}")

    def _server(self) -> Server:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("localhost")
        configured = {
            "cert": certificate.cert_chain_pems[0].bytes().decode(),
            "key": certificate.private_key_pem.bytes().decode(),
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "redirect_uris": self.redirect_uris,
            "post_logout_redirect_uris": [urljoin(uri, "/") for uri in self.redirect_uris],
        }
        return _Ready(
            ["node", str(SOURCE / "server.mjs"), "{port}"],
            env={"OIDC_PROVIDER": json.dumps(configured)},
            cwd=_installed_at(),
        )


class _Ready(Server):
    """A server that says when it listens: its certificate is not one that a probe would trust."""

    def _answers(self, seconds: float) -> bool:  # noqa: ARG002
        return "ready" in self.log_tail().splitlines()


@cache
def unavailable() -> str | None:
    """Why there can be no NodeProvider here, and how to get one; None where it can run, after its first install."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return f"no node or no npm: {_GET_NODE}"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    version = re.match(r"v(\d+)\.(\d+)", told)
    if version is None or tuple(map(int, version.groups())) < NODE:
        return f"node is {told.strip() or 'broken'}: {_GET_NODE}"
    try:
        _install(_installed_at())
    except (OSError, filelock.Timeout, subprocess.SubprocessError) as error:
        return f"no npm package oidc-provider, which needs a registry that npm reaches: {_why(error)}"
    return None


def _why(error: Exception) -> str:
    """In one line what kept npm from it: of what it says, the error's code comes first."""
    said = error.stderr.splitlines() if isinstance(error, subprocess.CalledProcessError) else []
    return next((line for line in said if line.startswith("npm error")), str(error))


def _installed_at() -> Path:
    return INSTALLED / hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:16]


def _install(folder: Path) -> None:
    """Install what the lock file says, once for all that may ask at the same time; a half install has another name."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _SECONDS
    with filelock.FileLock(f"{folder}.lock", timeout=_SECONDS):
        if folder.is_dir():
            return
        partial = folder.with_suffix(".partial")
        partial.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(SOURCE / name, partial / name)
        left = max(deadline - time.monotonic(), 1)
        subprocess.run(["npm", *_INSTALL], cwd=partial, capture_output=True, text=True, check=True, timeout=left)
        partial.rename(folder)
