/** What somebody has at hand who restores without the action, from a bucket of a real server. */
import { awsCommandLine } from '../../bench/aws-cli.ts';
import { type AgeCli, stockAge } from './age-cli.ts';
import { type Clients, clientTools } from './clients.ts';
import { availableS3Servers } from './s3-servers.ts';

export interface StockTools {
  clients: Clients;
  age: AgeCli;
  aws: { path: string };
}

/** All of it, or the first that this machine lacks. */
export async function stockTools(): Promise<StockTools | { skipped: string }> {
  const [clients, age, aws, [versitygw]] = [
    await clientTools(17),
    await stockAge(),
    await awsCommandLine(),
    await availableS3Servers(),
  ];
  if ('skipped' in clients) return clients;
  if ('skipped' in age) return age;
  if ('skipped' in aws) return aws;
  if (versitygw?.available !== true) return { skipped: versitygw?.reason ?? 'no versitygw' };
  return { clients, age, aws };
}
