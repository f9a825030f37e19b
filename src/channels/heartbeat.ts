/** `heartbeat-url`: a service that expects runs, and calls somebody when one fails or does not come. */
import { type HeartbeatSignal, heartbeatRequest } from '../domain/heartbeat.ts';
import type { Channel, SendParts } from './channel.ts';
import { sendSmall } from './send.ts';

export function heartbeatChannel(url: URL): Channel {
  const tell = async (signal: HeartbeatSignal, text: string, parts: SendParts): Promise<void> => {
    const request = heartbeatRequest(url, signal, text);
    if (request !== undefined) await sendSmall(request, parts);
  };
  return {
    input: 'heartbeat-url',
    started: (parts) => tell('start', '', parts),
    ended: ({ green, text }, parts) => tell(green ? 'success' : 'failure', text, parts),
  };
}
