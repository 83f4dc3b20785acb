import type { z } from 'zod';
import type { Principal } from '../auth/principal.js';
import type { DeploymentService, DeploymentView } from '../deployment/deploymentService.js';
import { CloudEasyMLError } from '../errors.js';
import * as contract from './contract.js';
import type { ManagementServices } from './managementServices.js';
import type { Router } from './router.js';

type Deployment = z.infer<typeof contract.deployment>;

function toAnswer({ userId: _, ...deployment }: DeploymentView): Deployment {
  return deployment;
}

/** Another user's deployment is not told apart from none, except to an admin. */
function owned(deployments: DeploymentService, principal: Principal, id: string): DeploymentView {
  const found = deployments.get(id);
  if (!found || (found.userId !== principal.userId && !principal.isAdmin)) {
    throw new CloudEasyMLError('deployment_not_found', `There is no deployment "${id}".`);
  }
  return found;
}

/** `/deployments`: make, list, show and remove. */
export function registerDeploymentRoutes(
  router: Router,
  { deployments }: ManagementServices,
): void {
  router.handle(
    'POST',
    '/deployments',
    { access: 'deploy', body: contract.deploymentRequest },
    async ({ principal, body: request }) => {
      const { userId, userIndex } = principal;
      const deployment = toAnswer(await deployments.create(userId, userIndex, request));
      const outcome = deployment.error
        ? `has failed: ${deployment.error}`
        : `is ${deployment.status}`;
      const body: z.infer<typeof contract.deploymentCreated> = {
        deployment,
        message: `The deployment of ${deployment.modelName} ${deployment.modelVersion} ${outcome}.`,
      };
      return {
        status: 201,
        headers: { location: `/deployments/${deployment.deploymentId}` },
        body,
      };
    },
  );

  router.handle('GET', '/deployments', { access: 'anyKey' }, ({ principal }) => {
    const views = deployments.list(principal.isAdmin ? undefined : principal.userId);
    const body: z.infer<typeof contract.deploymentList> = { deployments: views.map(toAnswer) };
    return { body };
  });

  router.handle('GET', '/deployments/:deploymentId', { access: 'anyKey' }, ({ principal, id }) => {
    const body: z.infer<typeof contract.deploymentAnswer> = {
      deployment: toAnswer(owned(deployments, principal, id)),
    };
    return { body };
  });

  router.handle(
    'DELETE',
    '/deployments/:deploymentId',
    { access: 'deploy' },
    async ({ principal, id }) => {
      const { deploymentId } = owned(deployments, principal, id);
      await deployments.remove(deploymentId);
      const body: z.infer<typeof contract.removed> = {
        message: `The deployment ${deploymentId} is removed.`,
      };
      return { body };
    },
  );
}
