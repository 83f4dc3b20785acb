import { z } from 'zod';
import { providerName } from '../engine/providerName.js';
import { mapping } from '../validation/validate.js';

/**
 * Every setting of the server. The environment variables, the command-line flags, the help text and
 * `docs/configuration.md` all come from this schema: a setting is added here and nowhere else.
 *
 * `meta` may say how text becomes a list (`separator`), how to word a default that is worked out
 * (`defaultText`), and that a setting must not be seen on a command line (`secret`).
 */
export const settingsSchema = mapping({
  port: z
    .int()
    .min(0)
    .max(65535)
    .default(8000)
    .meta({ description: 'The TCP port to listen on; 0 takes any free one.' }),
  // Keys travel in the clear without TLS in front, so reaching other machines must be asked for.
  host: z.string().min(1).default('127.0.0.1').meta({
    description:
      'The address to listen on. The default is reached from this machine only, because keys travel unencrypted; `0.0.0.0` listens on every interface, as a container or a server behind a TLS proxy wants it.',
  }),
  plugins: z
    .array(z.string().min(1))
    .min(1)
    .default(['plugins'])
    .meta({ description: 'Folders whose sub-folders are plugins.', separator: ':' }),
  data: z.string().min(1).default('data').meta({
    description: 'The folder of the database, trained models and caches; made when it is missing.',
  }),
  workers: z.int().min(1).max(1024).optional().meta({
    description: 'Worker threads that run plugin code and models.',
    defaultText: 'cores / intraOpThreads; above 4 cores, one is left to the event loop',
  }),
  adminKey: z
    .string()
    .min(8)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .meta({
      description:
        'The bootstrap key, with every permission: at least 8 printable ASCII characters without spaces.',
      defaultText: 'the first start makes one and prints it once',
      secret: true,
    }),
  bodyLimit: z
    .int()
    .min(1024)
    .max(2 ** 31 - 1)
    .default(16 * 1024 * 1024)
    .meta({ description: 'The largest request body or WebSocket frame, in bytes.' }),
  answerLimit: z
    .int()
    .min(1024)
    .max(2 ** 31 - 1)
    .default(64 * 1024 * 1024)
    .meta({
      description:
        'The largest answer to a prediction, or output of a stream, in bytes. A model’s outputs may take four times as many in memory.',
    }),
  maxHeldBytes: z
    .int()
    .min(1024 * 1024)
    .max(2 ** 40)
    .default(512 * 1024 * 1024)
    .meta({
      description:
        'Bytes of prediction requests and of large answers on their way that the server holds at once. One user may have a quarter of them, which is also the most that one request and its answer can have.',
    }),
  idleTimeout: z.int().min(8).max(960).default(120).meta({
    description:
      'Seconds without a sign of life, a pong included, after which a WebSocket is closed, pings ask for one in time; and seconds that a reader of server-sent events may read nothing.',
  }),
  maxInFlight: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(1024)
    .meta({ description: 'Requests and streams that one WebSocket may have open at once.' }),
  maxSockets: z.int().min(1).max(1_000_000).default(16_384).meta({
    description:
      'WebSockets that may be open at once; fewer where the process may not have as many files open.',
  }),
  maxSocketsPerKey: z.int().min(1).max(1_000_000).default(1024).meta({
    description:
      'WebSockets that may be open with one key. The first 32 of them take frames up to `bodyLimit`, the others up to 256 KiB.',
  }),
  maxBufferedBytes: z
    .int()
    .min(1024)
    .max(2 ** 31 - 1)
    .default(1024 * 1024)
    .meta({
      description:
        'Bytes that a WebSocket’s client may leave unread before its streams wait; with four times as many, what more it asks for is refused.',
    }),
  requestTimeoutMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(30_000)
    .meta({ description: 'Milliseconds that a request body may take to arrive.' }),
  drainTimeoutMs: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(10_000)
    .meta({ description: 'Milliseconds that a shutdown waits for requests in flight.' }),
  cors: z
    .array(z.union([z.literal('*'), z.string().regex(/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/)]))
    .default([])
    .meta({
      description:
        'Origins whose pages may call the server, such as `https://app.example.com`; `*` allows every origin. Empty: cross-origin calls are off.',
      separator: ',',
    }),
  serverTiming: z.boolean().default(false).meta({
    description:
      'Whether answers of `POST /predict` carry a `server-timing` header: milliseconds in the queue, from there to the run, and in it.',
  }),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ description: 'The least severe log line to write.' }),
  onnxRuntime: mapping({
    library: z.string().min(1).optional().meta({
      description: 'Path of the ONNX Runtime library to load.',
      defaultText: 'the one in the package `onnxruntime-node`',
    }),
    providerLibraries: z
      .record(
        z.string().regex(providerName, 'a name in small letters, other than cpu'),
        z.string().min(1),
      )
      .default({})
      .meta({
        description:
          'Execution providers that come in libraries of their own: each one’s path by the name that `executionProviders` lists it by.',
      }),
    intraOpThreads: z.int().min(1).max(1024).optional().meta({
      description: 'Threads that one run of a model may use, its worker included.',
      defaultText: 'cores / workers, likewise',
    }),
    interOpThreads: z.int().min(1).max(1024).default(1).meta({
      description: 'Threads that run independent branches of a model side by side.',
    }),
    spinning: z.boolean().default(false).meta({
      description:
        'Whether idle ONNX Runtime threads spin for work: lower latency for a model alone on its cores, and a starved event loop otherwise.',
    }),
  }).prefault({}),
});

type ParsedSettings = z.infer<typeof settingsSchema>;

/** The server's settings, with every default filled in and every path absolute. */
export type Settings = Omit<ParsedSettings, 'workers' | 'onnxRuntime'> & {
  workers: number;
  onnxRuntime: Omit<ParsedSettings['onnxRuntime'], 'intraOpThreads'> & { intraOpThreads: number };
};
