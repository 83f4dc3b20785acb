/** Requests that are wrong in one way each, and what the server must answer. */
import type { ErrorCode } from '../../dist/errors.js';
import type { Random } from '../support/random.js';

/** A model to ask, and a request that it answers. */
export interface Target {
  name: string;
  deploymentId: string;
  /** JSON text. */
  data: string;
  /** Without it the model takes any data. */
  wrongData?: WrongData;
}

/** Makes data that is valid JSON and wrong for a model, with the path that the answer must name. */
export type WrongData = (random: Random) => { data: string; path: string };

export interface BadRequest {
  method: string;
  path: string;
  body: string | Uint8Array | undefined;
  headers: Record<string, string | undefined>;
  code: ErrorCode;
  /** What it may be answered with as well. */
  otherCode?: ErrorCode;
  /** The path in the problem document, where it must have one. */
  faultPath?: string;
}

export interface World {
  targets: Target[];
  /** A deployment of another user. */
  foreignId: string;
  /** A key that may not predict. */
  powerlessKey: string;
  revokedKey: string;
  bodyLimit: number;
}

type Family = (random: Random, world: World) => BadRequest;

/** A body for a target, sent to either of the two routes. */
function request(
  random: Random,
  target: Target,
  makeBody: (fields: string[]) => string | Uint8Array,
  answer: Pick<BadRequest, 'code' | 'faultPath'>,
  data = target.data,
): BadRequest {
  const id = `"deploymentId":"${target.deploymentId}"`;
  const byPath = random.below(2) === 0;
  const fields = [`"data":${data}`, '"options":{"note":"é"}'];
  if (!byPath) fields.splice(random.below(3), 0, id);
  return {
    method: 'POST',
    path: byPath ? `/predict/${target.deploymentId}` : '/predict',
    body: makeBody(fields),
    headers: {},
    ...answer,
  };
}

const object = (fields: string[]) => `{${fields.join(', ')}}`;
const malformed = { code: 'malformed_json' } as const;
const invalid = (faultPath: string) => ({ code: 'invalid_input', faultPath }) as const;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const truncated: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => {
      const whole = object(fields);
      return whole.slice(0, random.below(whole.length));
    },
    malformed,
  );

const oddCharacters = '{}[]",:\\ 019.-+eEtfnu/\u0000\u0007\u00e9\ud83d\ude00';

/** One character removed, added or replaced, so that it is JSON no more. */
const mutated: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => {
      const whole = object(fields);
      for (;;) {
        const at = random.below(whole.length + 1);
        const removed = random.below(2);
        const added = random.below(3) === 0 ? '' : random.pick([...oddCharacters]);
        const text = whole.slice(0, at) + added + whole.slice(at + removed);
        if (!isJson(text)) return text;
      }
    },
    malformed,
  );

const notJson = (
  'NaN,Infinity,-Infinity,undefined,0x10,01,1.,.5,+1,1e,1e+,--1,-,1_000,True,nil,nulll,tru,' +
  '\'text\',`text`,[1,],[,1],[1 2],{1:2},{"a"},{"a":},{"a":1,},{,},(1),"\\x41","\\u12g4","\\",//,/* */'
).split(/,(?=[^\]}1])/);

/** What no JSON has, as the data or deep in it. */
const literals: Family = (random, { targets }) => {
  const literal = random.pick(notJson);
  const data = random.pick([literal, `[${literal}]`, `[[${literal}]]`, `{"a": ${literal}}`]);
  return request(random, random.pick(targets), object, malformed, data);
};

const garbage = ['x', '{}', ']', '}', ',', '"', '\0', '[1]', ' null', '\u00a0', '{"data": 1}'];

const trailing: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => object(fields) + random.pick(garbage),
    malformed,
  );

const brokenUtf8 = [
  [0xff],
  [0xc0, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xf5, 0x80, 0x80, 0x80],
  [0x80],
];

/** Bytes that are no UTF-8, somewhere in a string. */
const utf8: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => {
      const mark = '\u0001';
      const text = object(fields);
      const strings = [...text.matchAll(/"[^"]+"/g)];
      const { index } = random.pick(strings);
      const marked = text.slice(0, index + 1) + mark + text.slice(index + 1);
      const [before = '', after = ''] = marked.split(mark);
      return Buffer.concat([
        Buffer.from(before),
        Buffer.from(random.pick(brokenUtf8)),
        Buffer.from(after),
      ]);
    },
    malformed,
  );

const controlCharacters: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => object([`"note": "a${String.fromCharCode(random.below(32))}b"`, ...fields]),
    malformed,
  );

/** Deeper than any model takes, closed or not. */
const nested: Family = (random, { targets }) => {
  const depth = 2000 + random.below(8000);
  const open = random.pick(['[', '{"a":', '[[[{"b":']);
  return request(random, random.pick(targets), object, malformed, open.repeat(depth));
};

/** An escape for half of a character that takes two. */
const surrogates: Family = (random, { targets }) => {
  const words = targets.filter(({ name }) => name === 'wordIndex');
  const half = random.pick(['\\ud800', '\\udfff', '\\ud83d x', '\\ude00\\ud83d']);
  return request(random, random.pick(words), object, malformed, `[["one", "${half}"]]`);
};

const empty: Family = (random, { targets }) => {
  const body = random.pick([undefined, '', ' ', '\n\t\r ', '\0']);
  return { ...request(random, random.pick(targets), object, malformed), body };
};

const wrongData: Family = (random, { targets }) => {
  const target = random.pick(targets.filter((one) => one.wrongData));
  const { data, path } = target.wrongData!(random);
  return request(random, target, object, invalid(path), data);
};

const noData: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => object(fields.filter((field) => !field.startsWith('"data"'))),
    invalid('data'),
  );

const noObject: Family = (random, { targets }) => ({
  ...request(random, random.pick(targets), object, { code: 'invalid_input' }),
  body: random.pick(['[]', '1', '"text"', 'null', 'true', ' [{"data": [[1,2,3,4]]}] ']),
});

const wrongOptions: Family = (random, { targets }) =>
  request(
    random,
    random.pick(targets),
    (fields) => {
      const options = random.pick(['1', '"text"', 'null', 'true', '[]', '["outputs"]']);
      return object([
        ...fields.filter((field) => !field.startsWith('"options"')),
        `"options":${options}`,
      ]);
    },
    invalid('options'),
  );

const wrongOutputs: Family = (random, { targets }) => {
  const native = targets.filter(({ name }) => name !== 'echo' && name !== 'sentimentAnalysis');
  const target = random.pick(native);
  const bad = ['1', '"sum"', '{}', 'null', '["nothing"]', '[1]', '[null]', '[["y"]]'];
  if (target.name === 'addingPairs') bad.push('["sum", "total", "sum"]', '["sum", "total", 1]');
  const outputs = random.pick(bad);
  return request(
    random,
    target,
    (fields) => {
      const kept = fields.filter((field) => !field.startsWith('"options"'));
      return object([...kept, `"options":{"outputs":${outputs}}`]);
    },
    invalid('options.outputs'),
  );
};

const twice: Family = (random, { targets }) => {
  const key = random.pick(['data', 'options', 'deploymentId']);
  const id = '"deploymentId": "dep_1"';
  return request(
    random,
    random.pick(targets),
    (fields) => {
      const again =
        key === 'deploymentId' ? [id, id] : fields.filter((field) => field.startsWith(`"${key}"`));
      return object([...fields, ...again]);
    },
    invalid(key),
  );
};

const strayIds = [
  'dep_',
  'dep_00000000000000000000',
  '',
  ' ',
  'a/b',
  '../x',
  '%00',
  'é',
  'x'.repeat(300),
];

const unknownDeployment: Family = (random, { targets, foreignId }) => {
  const id = random.pick([...strayIds, foreignId, `${targets[0]!.deploymentId}0`]);
  const data = random.pick(targets).data;
  const byPath = random.below(2) === 0 && id !== '' && !id.includes('/');
  return {
    method: 'POST',
    path: byPath ? `/predict/${encodeURIComponent(id)}` : '/predict',
    body: byPath ? `{"data": ${data}}` : JSON.stringify({ data: 1, deploymentId: id }),
    headers: {},
    code: 'deployment_not_found',
    faultPath: 'deploymentId',
  };
};

const noDeployment: Family = (random, { targets }) => {
  const { data } = random.pick(targets);
  const value = random.pick([undefined, '1', 'null', 'true', '[]', '{}', '["x"]']);
  return {
    method: 'POST',
    path: '/predict',
    body: value === undefined ? `{"data": ${data}}` : `{"deploymentId": ${value}, "data": ${data}}`,
    headers: {},
    ...invalid('deploymentId'),
  };
};

const good = (random: Random, { targets }: World) =>
  request(random, random.pick(targets), object, malformed);

const noKey: Family = (random, world) => ({
  ...good(random, world),
  headers: { authorization: undefined },
  code: 'key_missing',
});

const badKey: Family = (random, world) => ({
  ...good(random, world),
  headers: {
    authorization: random.pick([
      'Bearer',
      'Bearer  ',
      'Basic dXNlcjpwYXNz',
      'Bearer wrong',
      `Bearer ce_0123456789abcdef_${'A'.repeat(43)}`,
      `Bearer ${'x'.repeat(2000)}`,
      `Bearer ${world.revokedKey}`,
      `Bearer ${world.powerlessKey}x`,
      world.powerlessKey,
    ]),
  },
  code: 'key_invalid',
  // After many wrong keys the address has to wait.
  otherCode: 'rate_limited',
});

const noPermission: Family = (random, world) => ({
  ...good(random, world),
  headers: { authorization: `Bearer ${world.powerlessKey}` },
  code: 'forbidden',
});

const wrongType: Family = (random, world) => ({
  ...good(random, world),
  headers: {
    'content-type': random.pick([
      'text/plain',
      'application/xml',
      'image',
      'multipart/mixed; boundary=x',
      'application/jsonp',
      'json',
      '/',
    ]),
  },
  code: 'unsupported_media_type',
});

const wrongMethod: Family = (random, world) => {
  const method = random.pick(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
  return {
    ...good(random, world),
    method,
    ...(method === 'GET' && { body: undefined }),
    code: 'method_not_allowed',
  };
};

const wrongRoute: Family = (random, world) => ({
  ...good(random, world),
  path: random.pick([
    '/predictions',
    '/v1/predict',
    '/Predict',
    '/predict/a/b',
    '//predict',
    '/..',
  ]),
  code: 'route_not_found',
});

const tooLong: Family = (random, { targets, bodyLimit }) =>
  request(
    random,
    random.pick(targets),
    (fields) => object([...fields, `"more": "${'x'.repeat(bodyLimit + random.below(2000))}"`]),
    { code: 'body_too_large' },
  );

const deployments: Family = (random) => {
  const cases: [body: string, code: ErrorCode, faultPath?: string][] = [
    ['{"modelName": "nothing"}', 'model_not_found'],
    ['{"modelName": "echo", "modelVersion": "9.9.9"}', 'model_not_found'],
    ['{"modelName": 1}', 'invalid_input', 'modelName'],
    ['{}', 'invalid_input', 'modelName'],
    ['{"modelName": "echo", "config": []}', 'invalid_input', 'config'],
    ['{"modelName": "echo", "colour": 1}', 'invalid_input', 'colour'],
    [
      '{"modelName": "echo", "config": {"serving": {"maxBatchSize": -1}}}',
      'invalid_input',
      'config.serving.maxBatchSize',
    ],
    ['{"modelName": "echo"', 'malformed_json'],
    ['', 'malformed_json'],
  ];
  const [body, code, faultPath] = random.pick(cases);
  return { method: 'POST', path: '/deployments', body, headers: {}, code, faultPath };
};

/** Every kind, by its name. */
export const families: Record<string, Family> = {
  truncated,
  mutated,
  literals,
  trailing,
  utf8,
  controlCharacters,
  nested,
  surrogates,
  empty,
  wrongData,
  noData,
  noObject,
  wrongOptions,
  wrongOutputs,
  twice,
  unknownDeployment,
  noDeployment,
  noKey,
  badKey,
  noPermission,
  wrongType,
  wrongMethod,
  wrongRoute,
  tooLong,
  deployments,
};
