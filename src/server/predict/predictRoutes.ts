import { bodyErrors, type RouteDescription } from '../http/route.js';
import * as contract from '../routes/contract.js';
import { foreignTypes } from './foreignBody.js';

const common = {
  method: 'POST',
  access: 'predict',
  headers: contract.predictHeaders,
  answer: { schema: contract.predictAnswer, events: true },
  errors: [
    ...bodyErrors,
    'deployment_not_found',
    'plugin_failed',
    'overloaded',
    'starting',
    'deployment_unavailable',
    'worker_lost',
    'deadline_exceeded',
  ],
} as const satisfies Partial<RouteDescription>;

/** `POST /predict`. {@link Predictor} listens on it. */
export const predictRoute: RouteDescription = {
  ...common,
  path: '/predict',
  summary: 'Predict with the deployment that the body names',
  body: contract.predictRequest,
};

/** `POST /predict/{deploymentId}`, likewise. */
export const predictOneRoute: RouteDescription = {
  ...common,
  path: '/predict/{deploymentId}',
  summary: 'Predict with the deployment that the path names',
  parameters: { deploymentId: 'As POST /deployments gave it.' },
  body: contract.predictToRequest,
  otherBodies: foreignTypes,
};
