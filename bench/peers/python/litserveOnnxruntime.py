"""LitServe with onnxruntime, batching as its documentation has it."""

import os

import litserve
import numpy
import onnxruntime


class Predictor(litserve.LitAPI):
    def setup(self, device):
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"])

    def decode_request(self, request):
        return numpy.asarray(request["data"], dtype=numpy.float32)

    def batch(self, inputs):
        # A request has one row or several: the batch is all of them.
        self.sizes = [len(rows) for rows in inputs]
        return numpy.concatenate(inputs)

    def predict(self, rows):
        return self.session.run(None, {"input": rows})[0]

    def unbatch(self, output):
        return numpy.split(output, numpy.cumsum(self.sizes)[:-1])

    def encode_response(self, output):
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(
        Predictor(max_batch_size=32, batch_timeout=0.001), accelerator="cpu"
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        generate_client_file=False,
        log_level="warning",
    )
