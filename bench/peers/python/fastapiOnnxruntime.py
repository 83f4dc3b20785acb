"""FastAPI with onnxruntime: pydantic models for what comes in and what goes out, a function that
FastAPI runs in its thread pool, a session with its defaults. Started by uvicorn."""

import os

import numpy
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"])
app = FastAPI()


class Request(BaseModel):
    data: list[list[float]]


class Answer(BaseModel):
    predictions: list[list[float]]


@app.get("/ready")
def ready() -> None:
    return None


@app.post("/predict")
def predict(request: Request) -> Answer:
    (output,) = session.run(None, {"input": numpy.asarray(request.data, dtype=numpy.float32)})
    return Answer(predictions=output.tolist())
