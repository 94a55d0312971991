"""Dask over TLS on the loopback: certificates as docs/trust.md makes them, and nobody without one takes part."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from study_worlds import TEXT

import simbgp

pytest.importorskip("distributed", reason="the extra 'distributed' is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with"),
]
ROOT = Path(simbgp.__file__).parents[1]


def certificate(folder):
    """One self-signed certificate for all, which is its own authority."""
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=simbgp -keyout key.pem -out cert.pem"
    subprocess.run(
        [*made.split(), "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, capture_output=True, check=True
    )
    return folder / "cert.pem", folder / "key.pem"


def settings(cert, key):
    """What Dask reads from the environment (distributed.comm.tls)."""
    roles = {f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT": str(cert) for role in ("SCHEDULER", "WORKER", "CLIENT")}
    roles |= {f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY": str(key) for role in ("SCHEDULER", "WORKER", "CLIENT")}
    asked = {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True", "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(cert)}
    return {**os.environ, "PYTHONPATH": str(ROOT), **roles, **asked}


def started(environment, *arguments):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", *arguments], env=environment, **quiet)


def simbgp_run(file, engine, environment):
    line = [sys.executable, "-m", "simbgp", "run", str(file), "--runs", "4", "--format", "json", "--quiet"]
    return subprocess.run(
        [*line, "--engine", engine], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_study_over_tls_gives_the_same_bytes_and_a_client_without_a_certificate_none(tmp_path):
    environment = settings(*certificate(tmp_path))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    scheduler, worker = "distributed.cli.dask_scheduler", "distributed.cli.dask_worker"
    address, plain = f"tls://127.0.0.1:{port}", {**os.environ, "PYTHONPATH": str(ROOT)}
    alone = ["--host", "127.0.0.1", "--port", str(port), "--protocol", "tls", "--no-dashboard"]
    processes = [started(environment, scheduler, *alone)]
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        of = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)]
        processes.append(started(environment, worker, address, *of))
        file = tmp_path / "world.yaml"
        file.write_text(TEXT)
        for _ in range(6):  # a busy machine takes longer than the engine's patience to start a worker
            done = simbgp_run(file, address, environment)
            if "has no workers" not in done.stderr:
                break
        assert done.stderr == ""
        assert done.stdout == simbgp_run(file, "local", plain).stdout
        refused = simbgp_run(file, address, plain)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"simbgp: no certificate for {address}: set distributed.comm.tls")
        assert refused.stderr.count("\n") == 1
    finally:
        for process in processes:
            process.kill()
            process.wait()
