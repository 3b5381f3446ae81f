"""Fixtures of the llm room: a server that speaks OpenAI's format, and small real models, pulled on the first run."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from provider_script import Provider

from skillagent.llm import weights
from skillagent.llm.local import LlamaCpp

MODELS = Path.home() / ".cache" / "skillagent" / "models"


@pytest.fixture(scope="session")
def small_model() -> Iterator[LlamaCpp]:
    """SmolLM2-135M, pulled on the first run."""
    model = LlamaCpp(weights.pull("smollm2-135m", MODELS), name="local/smollm2-135m", threads=2, context=2048)
    yield model
    model.close()


@pytest.fixture(scope="session")
def minilm_files() -> tuple[Path, Path]:
    """The embedder's two files, pulled on the first run."""
    model = weights.pull("minilm-int8", MODELS)
    return model, model.with_name("tokenizer.json")


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A real HTTP server on loopback."""
    state = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.keys.append(self.headers.get("Authorization", ""))
            status, body = state.answer(request | {"path": self.path})
            if status == 0:  # the server says nothing until the test is over
                state.hang.wait(30)
                return
            headers = body.pop("headers", {})
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    state.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()
