// uWebSockets.js with onnxruntime-node on its thread: `node uwsOnnxruntime.mjs <model.onnx>`.

import uWS from 'uWebSockets.js';
import { InferenceSession } from 'onnxruntime-node';
import { predict } from './predict.mjs';
import { listen, readJson } from './uwsHttp.mjs';

const session = await InferenceSession.create(process.argv[2] ?? '');

const app = uWS.App();
app.post('/predict', (res) => {
  let gone = false;
  res.onAborted(() => {
    gone = true;
  });
  readJson(res, async (body) => {
    const answer = JSON.stringify({ predictions: await predict(session, body.data) });
    if (gone) return;
    res.cork(() => {
      res.writeHeader('content-type', 'application/json').end(answer);
    });
  });
});
listen(app);
