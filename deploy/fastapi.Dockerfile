# The port, behind uvicorn. From the root of the project: docker build -f deploy/fastapi.Dockerfile -t service-fastapi .
# It holds no setting and no secret: they come with the container's environment (.env.example).
FROM python:3.11-slim AS build
COPY requirements/run.lock /run.lock
RUN python -m venv /opt/venv && \
    /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r /run.lock

FROM python:3.11-slim
# One number in both images, since both write into one folder of uploads.
RUN groupadd --gid 10001 service && \
    useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin service && \
    install -d -o 10001 -g 10001 /srv/uploads
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY shared_core/ shared_core/
COPY fastapi_app/ fastapi_app/
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Without a proxy: Docker may put one into the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; \
    r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["uvicorn", "fastapi_app:create_app", "--factory", "--http", "fastapi_app.wire.protocol:GunicornHttp", \
    "--no-proxy-headers", "--no-access-log", "--timeout-graceful-shutdown", "30", "--timeout-keep-alive", "75", "--timeout-worker-healthcheck", "30", \
    "--host", "0.0.0.0", "--port", "8000"]
