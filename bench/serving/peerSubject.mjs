import path from 'node:path';
import { moveTo } from '../pinning.mjs';
import { httpSubject, post, proveAnswers, requestSeed } from './httpSubject.mjs';

/** @typedef {(url: string, data: unknown) => import('./loadGenerator.mjs').LoadRequest} RequestTo */

/**
 * @param {import('../peers/index.mjs').Peer} peer
 * @param {import('./subjects.mjs').SubjectOptions} options
 * @param {RequestTo} requestTo
 * @returns {Promise<import('./subjects.mjs').Subject>}
 * @throws Error where it doesn't start, or its answers are not the workload's
 */
export async function startPeer(peer, options, requestTo) {
  const { workload, generator, pinning, openPinning, folder } = options;
  const { name, title, echoes } = peer;
  const server = await peer.start({
    modelFile: workload.modelFile ?? '',
    inputWidth: workload.inputWidth ?? 0,
    folder: path.join(folder, name),
    cpus: pinning?.server,
  });
  const toPeer = (/** @type {any[]} */ data) => {
    const request = requestTo(server.url, data);
    return peer.adapt ? { ...request, ...peer.adapt.request(server.url, data) } : request;
  };
  try {
    if (echoes) {
      const sent = toPeer(workload.data(1, 1));
      const answer = await post(sent);
      if (JSON.stringify(answer) !== sent.body) throw new Error('It did not echo the body.');
    } else {
      await proveAnswers(workload, title, async (data) => {
        const answer = await post(toPeer(data));
        return peer.adapt ? peer.adapt.predictions(answer) : answer.predictions;
      });
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  const request = toPeer(/** @type {any[]} */ (workload.data(1, requestSeed)));
  const subject = httpSubject(
    { name, title, kind: echoes ? 'ceiling' : 'peer' },
    request,
    generator,
  );
  return {
    ...subject,
    openLoad: (run) => {
      if (openPinning) moveTo(server.pid, openPinning.server);
      return subject.openLoad(run);
    },
    settle: async () => {},
    stop: server.stop,
  };
}
