# One image for all our Python: Airflow's components, MLflow, Feast, and the jobs that set them up.
# The packages are a layer of their own, built again only when the lock file changes; the code is the last layer.
ARG PYTHON_IMAGE=python:3.11.17-slim-bookworm
FROM ${PYTHON_IMAGE} AS packages
COPY requirements.lock /
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python --no-cache-dir --disable-pip-version-check install \
    --quiet --no-deps --only-binary :all: --require-hashes \
    --requirement /requirements.lock
# Remove the libraries' own tests: a tenth of the image.
WORKDIR /opt/venv/lib
RUN rm -r python3*/site-packages/pandas/tests python3*/site-packages/scipy/*/tests python3*/site-packages/numpy/*/tests \
    python3*/site-packages/pyarrow/tests python3*/site-packages/matplotlib/tests \
    python3*/site-packages/sklearn/tests python3*/site-packages/sklearn/*/tests

# The commit, which each training records. A folder without git records that.
FROM ${PYTHON_IMAGE} AS revision
COPY pyproject.toml .gi[t] /source/
COPY stack/revision.py /
RUN python /revision.py /source > /REVISION

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="ML platform on Airflow" \
      org.opencontainers.image.licenses="Apache-2.0"
# Mount points need their owner in the image: a new volume takes it over, so no container needs root to change it.
RUN groupadd --gid 10001 ml-platform \
 && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin ml-platform \
 && install -d -o ml-platform -g ml-platform /airflow /airflow/logs /scratch /volumes/objects /volumes/kafka \
 && install -o ml-platform -g ml-platform /dev/null /volumes/objects/.keep \
 && install -o ml-platform -g ml-platform /dev/null /volumes/kafka/.keep
# lightgbm brings no OpenMP of its own.
# hadolint ignore=DL3008 # the newest of the release is wanted: Debian drops older versions from its mirrors
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/opt/ml-platform:$PATH \
    PYTHONPATH=/opt/ml-platform/plugins:/opt/ml-platform \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    OMP_NUM_THREADS=1 \
    DO_NOT_TRACK=1 \
    FEAST_USAGE=False \
    GIT_PYTHON_REFRESH=quiet \
    AIRFLOW_HOME=/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/ml-platform/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/ml-platform/plugins
WORKDIR /opt/ml-platform
COPY --from=revision /REVISION ./
COPY . ./
RUN python -m compileall -q .
USER 10001:10001
