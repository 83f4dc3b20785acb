"""Ray Serve with onnxruntime, batching as its documentation has it."""

import os
import signal

import numpy
import onnxruntime
import ray
from ray import serve
from starlette.requests import Request

port = int(os.environ["BENCH_PORT"])


@serve.deployment(max_ongoing_requests=256)
class Predictor:
    def __init__(self, model: str) -> None:
        self.session = onnxruntime.InferenceSession(model)

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.001)
    async def run(self, inputs: list[numpy.ndarray]) -> list[numpy.ndarray]:
        (output,) = self.session.run(None, {"input": numpy.concatenate(inputs)})
        ends = numpy.cumsum([len(rows) for rows in inputs])
        return numpy.split(output, ends[:-1])

    async def __call__(self, request: Request) -> dict:
        body = await request.json()
        output = await self.run(numpy.asarray(body["data"], dtype=numpy.float32))
        return {"predictions": output.tolist()}


ray.init(include_dashboard=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": port})
serve.run(Predictor.bind(os.environ["BENCH_MODEL"]), route_prefix="/predict")
print(f"listening on http://127.0.0.1:{port}", flush=True)
signal.sigwait([signal.SIGTERM])
serve.shutdown()
ray.shutdown()
