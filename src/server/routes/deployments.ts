import type { z } from 'zod';
import type { Principal } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import type { DeploymentView } from '../../deployment/deploymentView.js';
import { CloudEasyMLError } from '../../errors.js';
import { bodyErrors, type Route, route } from '../http/route.js';
import * as contract from './contract.js';
import type { RouteServices } from './services.js';

/** A model with many labels, say, has a long configuration. */
const configurationLimit = 64 * 1024;

type Deployment = z.infer<typeof contract.deployment>;

function toAnswer({ userId: _, ...deployment }: DeploymentView): Deployment {
  return deployment;
}

/** Another user's deployment is not told apart from none, except to an admin. */
function owned(deployments: DeploymentManager, principal: Principal, id: string): DeploymentView {
  const found = deployments.get(id);
  if (!found || (found.userId !== principal.userId && !principal.isAdmin)) {
    throw new CloudEasyMLError('deployment_not_found', `There is no deployment "${id}".`);
  }
  return found;
}

const deploymentId = { deploymentId: 'As POST /deployments gave it.' };

/** `/deployments`: make, list, show and remove. */
export function deploymentRoutes({ deployments }: RouteServices): Route[] {
  return [
    route({
      method: 'POST',
      path: '/deployments',
      summary: 'Deploy a model; answers once it serves',
      access: 'deploy',
      body: contract.deploymentRequest,
      bodyLimit: configurationLimit,
      answer: { status: 201, schema: contract.deploymentCreated },
      errors: [
        ...bodyErrors,
        'model_not_found',
        'conflict',
        'model_load_failed',
        'provider_unavailable',
        'storage_failed',
      ],
      handle: async ({ principal: { userId, userIndex }, body: request }) => {
        const deployment = toAnswer(await deployments.create(userId, userIndex, request));
        const body: z.infer<typeof contract.deploymentCreated> = {
          deployment,
          message: `The deployment of ${deployment.modelName} ${deployment.modelVersion} is ${deployment.status}.`,
        };
        return { headers: { location: `/deployments/${deployment.deploymentId}` }, body };
      },
    }),
    route({
      method: 'GET',
      path: '/deployments',
      summary: 'The caller’s deployments; an admin’s answer holds everyone’s',
      access: 'anyKey',
      answer: { schema: contract.deploymentList },
      handle: ({ principal }) => {
        const views = deployments.list(principal.isAdmin ? undefined : principal.userId);
        const body: z.infer<typeof contract.deploymentList> = { deployments: views.map(toAnswer) };
        return { body };
      },
    }),
    route({
      method: 'GET',
      path: '/deployments/{deploymentId}',
      summary: 'One deployment',
      access: 'anyKey',
      parameters: deploymentId,
      answer: { schema: contract.deploymentAnswer },
      errors: ['deployment_not_found'],
      handle: ({ principal, parameters }) => {
        const deployment = owned(deployments, principal, parameters.deploymentId!);
        const body: z.infer<typeof contract.deploymentAnswer> = {
          deployment: toAnswer(deployment),
        };
        return { body };
      },
    }),
    route({
      method: 'DELETE',
      path: '/deployments/{deploymentId}',
      summary: 'Remove a deployment; answers when it has done what it had accepted',
      access: 'deploy',
      parameters: deploymentId,
      answer: { schema: contract.removed },
      errors: ['deployment_not_found', 'storage_failed'],
      handle: async ({ principal, parameters }) => {
        const { deploymentId: id } = owned(deployments, principal, parameters.deploymentId!);
        await deployments.remove(id);
        const body: z.infer<typeof contract.removed> = {
          message: `The deployment ${id} is removed.`,
        };
        return { body };
      },
    }),
  ];
}
