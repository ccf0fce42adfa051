# syntax=docker/dockerfile:1
# docker build -t naru .
# docker run --rm -v "$PWD/out:/data/out" naru simulate pilot --out out
# docker run -p 8000:8000 -v naru:/data naru serve pilot

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/naru
ENV PATH=/opt/naru/bin:$PATH
WORKDIR /src
# Elsewhere than on x86-64, pyroutingkit has no wheel and is compiled.
RUN [ "$(uname -m)" = x86_64 ] \
 || { apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*; }
# The dependencies first: they change less often than the code.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
# Node, to build the pages with; it stays in this stage.
COPY dispatch/console/node.lock ./
RUN python -m venv /opt/node && /opt/node/bin/pip install --require-hashes -r node.lock
ENV PATH=$PATH:/opt/node/bin
COPY pyproject.toml README.md LICENSE ./
COPY routing routing
COPY dispatch dispatch
COPY simulator simulator
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && pip install --no-deps /wheels/*.whl

FROM python:3.11-slim
COPY --from=build /opt/naru /opt/naru
# site-packages belongs to root: compiled kernels lie apart, and any user may add to them.
ENV PATH=/opt/naru/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/var/cache/naru
RUN useradd --system --uid 10001 --no-create-home naru \
 && install -d -m 1777 /var/cache/naru \
 && install -d -o naru -g naru /data
USER naru
WORKDIR /data
# Compiled for the processor that builds the image; another one compiles again at its first start.
RUN naru warm
# For `naru serve`: reached from outside the container, its store and keys on the volume.
ENV NARU_HOST=0.0.0.0 NARU_DATA_DIR=/data/naru-data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", \
 "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ.get(\"NARU_PORT\", 8000)}/health', timeout=5)"]
ENTRYPOINT ["naru"]
CMD ["--help"]
