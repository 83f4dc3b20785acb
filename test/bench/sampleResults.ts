/** A bench run's results as bench/results.schema.json describes them: every part, few cases, made-up figures. */

const spread = (median: number) => ({ median, min: median * 0.95, max: median * 1.05 });

const quantiles = (p50: number) => ({
  p50Us: spread(p50),
  p90Us: spread(p50 * 1.6),
  p99Us: spread(p50 * 2.8),
  p999Us: spread(p50 * 6),
});

const serverTitles = {
  cloudeasyml: 'CloudEasyML',
  fastifyOnnxruntime: 'Fastify + onnxruntime-node',
  uwsOnnxruntime: 'uWebSockets.js + onnxruntime-node',
  fastApi: 'FastAPI + onnxruntime <1 worker>',
  bareUws: 'bare uWebSockets.js, echo',
} as const;

type ServerName = keyof typeof serverTitles;

function kindOf(name: ServerName) {
  if (name === 'cloudeasyml') return 'own' as const;
  return name === 'bareUws' ? ('ceiling' as const) : ('peer' as const);
}

function closed(model: string, title: string, connections: number, rates: number[]) {
  const names = Object.keys(serverTitles) as ServerName[];
  return {
    model,
    title,
    connections,
    servers: names.map((name, index) => {
      const rate = rates[index]!;
      const measured = {
        name,
        title: serverTitles[name],
        kind: kindOf(name),
        requestsPerSecond: spread(rate),
        p50Us: spread((connections / rate) * 8e5),
        p90Us: spread((connections / rate) * 1.5e6),
        p99Us: spread((connections / rate) * 3e6),
        generatorLoad: spread(0.4),
      };
      return index === 0 ? measured : { ...measured, cloudeasymlRatio: spread(rates[0]! / rate) };
    }),
  };
}

type ClosedLoop = ReturnType<typeof closed>;

/** The same loop with rows over WebSockets behind the first; with tensors there is a C loop, too. */
function withSockets(loop: ClosedLoop, json: number, tensors?: number, cLoop = 0) {
  const [http, ...others] = loop.servers;
  const row = (name: string, title: string, rate: number) => ({
    ...http!,
    name,
    title,
    sockets: 4,
    requestsPerSecond: spread(rate),
    httpRatio: spread(rate / http!.requestsPerSecond.median),
    ...(cLoop && { cLoopRatio: spread(rate / cLoop) }),
  });
  return {
    ...loop,
    servers: [
      http!,
      row('cloudeasymlSocket', 'CloudEasyML, WebSocket', json),
      ...(tensors ? [row('cloudeasymlTensors', 'CloudEasyML, WebSocket, tensors', tensors)] : []),
      ...others,
      ...(cLoop
        ? [
            {
              ...http!,
              name: 'cLoop',
              title: 'C loop, up to 6 threads',
              kind: 'ceiling' as const,
              requestsPerSecond: spread(cLoop),
              cloudeasymlRatio: spread(http!.requestsPerSecond.median / cLoop),
            },
          ]
        : []),
    ],
  };
}

const streamLoop = (model: string, title: string, streams: number, rate: number) => ({
  model,
  title,
  streams,
  sockets: Math.min(streams, 4),
  outputsPerStream: 32,
  outputsPerSecond: spread(rate),
  firstOutputP50Us: spread(80 * streams),
  firstOutputP99Us: spread(200 * streams),
  generatorLoad: spread(0.2),
});

function open(model: string, title: string, server: ServerName, peak: number) {
  return {
    model,
    title,
    server,
    serverTitle: serverTitles[server],
    peakRequestsPerSecond: peak,
    loads: [0.25, 0.5, 0.75, 0.9].map((share) => ({
      share,
      arrivalsPerSecond: share * peak,
      answersPerSecond: spread(share * peak),
      latency: quantiles(4e6 / peak / (1 - share)),
      parts: {
        generator: quantiles(8),
        ...(server === 'cloudeasyml' && { queue: quantiles(12), batch: quantiles(3) }),
        compute: quantiles(1e6 / peak),
        rest: quantiles(1e6 / peak / (1 - share)),
      },
      generatorLateness: quantiles(5),
      generatorLoad: spread(0.3),
    })),
  };
}

const call = (title: string, model: string, cLoop: number, own: number, peer: number) =>
  (['allocated', 'owned'] as const).map((outputs) => ({
    model,
    title,
    outputs,
    cLoopUs: spread(cLoop),
    cloudeasymlUs: spread(own),
    onnxruntimeNodeUs: spread(peer),
    overCLoopUs: spread(own - cLoop),
    timesAsFast: spread(peer / own),
  }));

const overloaded = (share: number, refused: number, late: number) => ({
  share,
  arrivalsPerSecond: spread(share * 120),
  goodput: spread(117),
  ofCapacity: spread(0.96),
  refused: spread(refused),
  late: spread(late),
  refusalP50Us: spread(700),
  generatorLoad: spread(0.02),
});

const oneConnection = closed('mlp', 'MLP 784-512-512-10', 1, [9000, 4000, 6000, 800, 30_000]);
const refused = {
  ...oneConnection,
  servers: oneConnection.servers.map((server) =>
    server.name === 'fastApi' ? { ...server, refusal: '12 requests failed' } : server,
  ),
};

export const sampleResults = {
  schemaVersion: 2,
  date: '2026-11-23T10:00:00.000Z',
  mode: 'standard',
  machine: {
    cpu: 'A <sample> CPU & its cores',
    cores: 8,
    system: 'linux 6.1 x64',
    node: 'v20.20.0',
    onnxRuntime: '1.29.0',
    loadBefore: 0.1,
    settings: { CLOUDEASYML_WORKERS: '2' },
    pinning: { server: '0-5', generator: '6-7' },
    openPinning: { server: '0-5', generator: '6-7' },
  },
  plan: {},
  engine: {
    calls: [
      ...call('4→3 softmax', 'softmax', 1.8, 2.4, 7),
      ...call('128 KB identity', 'identity', 2.3, 2.7, 55),
    ],
    types: [
      {
        type: 'float32',
        size: 'small',
        elements: 4,
        outputs: 'owned',
        cLoopUs: spread(1.2),
        cloudeasymlUs: spread(1.6),
        onnxruntimeNodeUs: spread(5),
        timesAsFast: spread(3.1),
      },
      {
        type: 'bfloat16',
        size: 'small',
        elements: 4,
        outputs: 'owned',
        cloudeasymlUs: spread(1.6),
        refusal: 'not supported',
      },
    ],
    sharing: [
      {
        model: 'mlp',
        title: 'MLP 784-512-512-10',
        modelBytes: 2_700_000,
        runners: [
          ['cloudeasyml', 'CloudEasyML', 1],
          ['onnxruntimeNode', 'onnxruntime-node', 0.8],
        ].map(([name, title, factor]) => ({
          name,
          title,
          points: [1, 2, 4].map((workers) => ({
            workers,
            runsPerSecond: spread(30_000 * workers ** 0.9 * Number(factor)),
            timesOneWorker: spread(workers ** 0.9),
            residentBytes: spread(120e6 + workers * 20e6),
            modelResidentBytes: spread(4e6),
          })),
        })),
      },
    ],
  },
  serving: {
    generator: 'wrk',
    closed: [
      withSockets(
        closed('softmax', '4→3 softmax', 64, [90_000, 37_500, 60_000, 5200, 115_000]),
        180_000,
      ),
      refused,
      withSockets(
        closed('mlp', 'MLP 784-512-512-10', 64, [56_000, 9500, 15_000, 2500, 28_000]),
        78_400,
        99_000,
        100_000,
      ),
    ],
    pauses: {
      cpus: 8,
      seconds: 2,
      thresholdUs: 100,
      pauses: 31,
      share: 0.00415,
      longestUs: 2350,
    },
    open: [
      open('softmax', '4→3 softmax', 'cloudeasyml', 90_000),
      open('softmax', '4→3 softmax', 'fastifyOnnxruntime', 37_500),
      { ...open('softmax', '4→3 softmax', 'bareUws', 90_000), peakOf: 'CloudEasyML' },
      open('mlp', 'MLP 784-512-512-10', 'cloudeasyml', 56_000),
      open('mlp', 'MLP 784-512-512-10', 'fastifyOnnxruntime', 9500),
    ],
    skipped: [{ name: 'axumOrt', title: 'axum + ort', reason: 'cargo is not installed' }],
    streams: [
      streamLoop('steps', 'steps <small>', 1, 50_000),
      streamLoop('steps', 'steps <small>', 16, 150_000),
      { ...streamLoop('steps', 'steps <small>', 128, 0), refusal: '3 streams failed' },
    ],
    idleConnections: {
      connections: 1000,
      residentBefore: spread(150e6),
      resident: spread(152e6),
      residentTwice: spread(156e6),
      bytesPerConnection: spread(4096),
    },
  },
  overload: {
    title: '8 ms a request, <one> worker',
    deadlineMs: 100,
    capacity: spread(120),
    loads: [
      overloaded(1, 0.02, 0.01),
      overloaded(1.5, 0.34, 0.005),
      { ...overloaded(2.5, 0.6, 0), refusal: '3 requests got no answer' },
    ],
  },
  targets: [
    {
      what: 'MLP, 64 connections: times Fastify + onnxruntime-node',
      expected: 'at least 5.5×',
      found: '5.89×',
      verdict: 'pass',
    },
    {
      what: '4→3 softmax: p99 at 75 % of the peak',
      expected: 'under 3× p50',
      found: '3.10×',
      verdict: 'miss',
    },
  ],
  warnings: ['Figures of a sample: they show the form and not the speed.'],
};
