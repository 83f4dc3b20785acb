import type { HttpClient } from './httpClient.js';

export interface ListedDeployment {
  deploymentId: string;
  modelName: string;
  status: string;
  reason?: string;
  error?: string;
}

export async function listDeployments(client: HttpClient): Promise<ListedDeployment[]> {
  const { json } = await client.send('GET', '/deployments');
  return (json as { deployments: ListedDeployment[] }).deployments;
}

export async function getDeployment(client: HttpClient, id: string): Promise<ListedDeployment> {
  const { json } = await client.send('GET', `/deployments/${id}`);
  return (json as { deployment: ListedDeployment }).deployment;
}
