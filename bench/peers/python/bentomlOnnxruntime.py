"""BentoML with onnxruntime: a batchable API, one worker per core. Started by `bentoml serve`."""

import os

import bentoml
import numpy
import onnxruntime
from numpy.typing import NDArray


@bentoml.service(workers="cpu_count")
class Predictor:
    def __init__(self) -> None:
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"])

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=10_000)
    def predict(self, data: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
        return self.session.run(None, {"input": data})[0]
