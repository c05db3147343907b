"""How gunicorn serves the original, in its image and under systemd; beside each value, what uvicorn calls it.

The port runs under uvicorn itself (decision 0021), with the options in fastapi.Dockerfile and systemd/port.service.
The number of processes is WEB_CONCURRENCY, which both servers read by themselves (uvicorn: --workers).
"""

import sys

from shared_core.settings import SettingsError, load_settings

try:
    settings = load_settings()
except SettingsError as error:
    sys.stderr.write(f"The service cannot start: {error}\n")
    # As shared_core.services.START_REFUSED: nobody is to start this again.
    raise SystemExit(3) from None

worker_class = "gthread"
# The port sizes its thread pool by the same setting.
threads = settings.threads

# Seconds for requests in flight after SIGTERM. uvicorn: --timeout-graceful-shutdown
graceful_timeout = 30
# Longer than nginx keeps an idle connection to us, or it sends a request into one that we close. uvicorn:
# --timeout-keep-alive
keepalive = 75
# Seconds a worker may be silent; a slow request does not make it so. uvicorn: --timeout-worker-healthcheck
timeout = 30

# Off: each worker builds its own app, so that no lock or thread is taken over a fork, and SIGHUP loads new code.
preload_app = False
# What nginx says of the client is read in the app, alike in both. gunicorn would believe it from loopback, and answer
# 400 where two headers tell two schemes. uvicorn: --no-proxy-headers
forwarded_allow_ips = ""
secure_scheme_headers = {}
# No hook for the metrics: the workers of both servers count together in METRICS_DIR, and find out by themselves
# who is gone (shared_core/metrics.py).

# Its lines hold raw paths and queries. uvicorn: --no-access-log
accesslog = None
# It would want a home to write to. uvicorn has none.
control_socket_disable = True
