# The app, the API and the runs in one image: docker build --tag forecast-ledger .
# Settings and secrets come from the environment when it starts (docs/operating.md#containers).
# The base: any Debian with Python 3.11 or newer and venv, such as one from your own registry.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# For strip.
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /src
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/forecasts
COPY requirements.lock ./
RUN /opt/pip/bin/pip --python /opt/forecasts/bin/python install --no-cache-dir --no-compile \
      --no-deps --require-hashes --requirement requirements.lock
COPY . .
RUN /opt/pip/bin/pip --python /opt/forecasts/bin/python install --no-cache-dir --no-deps \
      --no-build-isolation .
# A third of the packages is never used: tests, headers, symbols, other languages' words, Arrow's
# clients of remote services. Then one start compiles the modules and shows that they load.
WORKDIR /opt/forecasts/lib
RUN find . -depth \( -name tests -o -path '*/pyarrow/include' -o -path '*/pydeck/nbextension' \
      -o -path '*/statsmodels/datasets/*/*' -o -name '*.p[xy][dix]' \
      -o -path '*/babel/locale-data/[!er]*' -o -name '*_flight.*' -o -name '*_s3*.so*' \) \
      -exec rm -r {} + \
    && find . -name '*.so*' -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
    && /opt/forecasts/bin/forecasts demo --no-serve \
    && /opt/forecasts/bin/python -c "import app.session, alembic.command, forecasts.api.server, psycopg, typst"

FROM ${BASE}
COPY --from=build /opt/forecasts /opt/forecasts
RUN useradd --uid 1000 --home-dir /var/lib/forecasts --create-home --skel /nowhere forecasts
# Digests and stamps are kept in /var/lib/forecasts, the only folder that needs a volume.
ENV PATH=/opt/forecasts/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 XDG_DATA_HOME=/var/lib
USER 1000:1000
WORKDIR /var/lib/forecasts
EXPOSE 8501 8000
HEALTHCHECK --start-period=60s --timeout=30s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/health')"]
CMD ["forecasts", "app", "--address", "0.0.0.0", "--no-open"]
