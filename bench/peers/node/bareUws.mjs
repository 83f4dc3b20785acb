// The ceiling: uWebSockets.js that parses the body and sends it back, with no model and no key.
import uWS from 'uWebSockets.js';
import { listen, readJson } from './uwsHttp.mjs';

const app = uWS.App();
app.post('/predict', (res) => {
  let gone = false;
  res.onAborted(() => {
    gone = true;
  });
  readJson(res, (_body, text) => {
    if (!gone) res.writeHeader('content-type', 'application/json').end(text);
  });
});
listen(app);
