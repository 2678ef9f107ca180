# The page by default, a worker as `dinoseek worker`. See docker-compose.yml for both with what they need.
FROM python:3.11-slim

# Whose number owns /data and reads the mounted pictures: 1000 is the first person on most machines.
ARG UID=1000
RUN useradd --uid "$UID" --create-home dinoseek \
    && install --directory --owner=dinoseek /data

# Libraries before code: a change of the code fetches none of them again.
# pip reads this argument itself. Give it an index of torch for CPUs and the image needs no CUDA; without it, torch
# as published serves GPUs and CPUs.
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /opt/dinoseek
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt

COPY . .
RUN pip install --no-deps .

USER dinoseek
WORKDIR /data
ENV DINOSEEK_HOME=/data \
    DINOSEEK_PORT=8501 \
    PYTHONUNBUFFERED=1
EXPOSE 8501
HEALTHCHECK --interval=10s --start-period=60s CMD ["python", "-c", "\
import http.client, os; \
page = http.client.HTTPConnection('127.0.0.1', os.environ['DINOSEEK_PORT'], timeout=4); \
page.request('GET', '/health/ready'); \
exit(page.getresponse().status != 200)"]
# 0.0.0.0 of the container: who publishes the port decides who reaches it (`-p 127.0.0.1:8501:8501` for this machine).
CMD ["dinoseek", "up", "--host", "0.0.0.0"]
