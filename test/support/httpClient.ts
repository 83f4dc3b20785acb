import http from 'node:http';

export interface SendOptions {
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: string | Uint8Array;
  /** Over the client's own; undefined leaves one out. */
  headers?: Record<string, string | undefined>;
  /** Closes the connection when it is aborted. */
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  bytes: Buffer;
  /** The body, where it is JSON. */
  json: unknown;
}

export interface PredictionAnswer {
  predictions: unknown;
  metadata: Record<string, unknown>;
  processingTimeMs: number;
}

/** Talks to a server over connections that it keeps. */
export class HttpClient {
  readonly url: string;
  readonly key: string | undefined;
  readonly #agent: http.Agent;

  /** @param connections how many it opens at most */
  constructor(url: string, key?: string, connections = Number.POSITIVE_INFINITY) {
    this.url = url;
    this.key = key;
    // The server closes what is idle for 10 s; a request must not meet that.
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections, timeout: 5000 });
  }

  /** Another client of the same server, with connections of its own. */
  as(key: string | undefined, connections?: number): HttpClient {
    return new HttpClient(this.url, key, connections);
  }

  /** An error tells as `wasNew` whether the connection had served no request before. */
  send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const headers: Record<string, string | number | undefined> = {
      ...(this.key !== undefined && { authorization: `Bearer ${this.key}` }),
      ...(body !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }),
      ...options.headers,
    };
    for (const name in headers) if (headers[name] === undefined) delete headers[name];
    return new Promise((resolve, reject) => {
      const request = http.request(
        `${this.url}${path}`,
        { method, agent: this.#agent, headers, signal: options.signal },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            const text = bytes.toString();
            const { 'content-type': type = '', 'content-encoding': coding } = response.headers;
            const isJson = /json/.test(type) && coding === undefined && text !== '';
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text,
              bytes,
              json: isJson ? JSON.parse(text) : undefined,
            });
          });
        },
      );
      request.on('error', (error) =>
        reject(Object.assign(error, { wasNew: !request.reusedSocket })),
      );
      request.end(body);
    });
  }

  /** @returns the id of a new deployment */
  async deploy(modelName: string, config: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.send('POST', '/deployments', { json: { modelName, config } });
    if (answer.status !== 201) throw new Error(`${modelName} was not deployed: ${answer.text}`);
    return (answer.json as { deployment: { deploymentId: string } }).deployment.deploymentId;
  }

  /** Asks for a prediction; the answer may be an error. */
  predict(
    deploymentId: string,
    data: unknown,
    options?: Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    return this.send('POST', '/predict', { json: { deploymentId, data, options }, signal });
  }

  /** Asks for a prediction that must succeed. */
  async predicted(
    deploymentId: string,
    data: unknown,
    options?: Record<string, unknown>,
  ): Promise<PredictionAnswer> {
    const answer = await this.predict(deploymentId, data, options);
    if (answer.status !== 200) throw new Error(`No prediction came: ${answer.text}`);
    return answer.json as PredictionAnswer;
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }
}
