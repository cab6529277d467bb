# One image, several commands: every role, `crm setup`, and the command line. No compiler, no tests, no embedded servers.
FROM python:3.11-slim AS packages
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check uv
RUN python -m venv --without-pip /opt/potik
COPY requirements-run.lock .
RUN VIRTUAL_ENV=/opt/potik /opt/uv/bin/uv pip sync --no-cache --require-hashes --compile-bytecode requirements-run.lock

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 potik && mkdir -p /app/.data /run/potik && chown potik /app/.data /run/potik \
 && printf '#!/bin/sh\nexec python -m services.cli "$@"\n' > /usr/local/bin/crm && chmod +x /usr/local/bin/crm
COPY --from=packages /opt/potik /opt/potik
WORKDIR /app
COPY schemas schemas
COPY crm crm
COPY projections projections
COPY streams streams
COPY services services
COPY api api
ENV PATH=/opt/potik/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CRM_HOST=0.0.0.0 CRM_HEALTH_PORT=8090 CRM_DATA=/app/.data CRM_LOG_FORMAT=json
USER potik
# A replica is known by its container's name: two with one name would throw each other out.
ENTRYPOINT ["sh", "-c", "CRM_INSTANCE=${CRM_INSTANCE:-$(hostname)} exec \"$@\"", "--"]
CMD ["crm", "--help"]
