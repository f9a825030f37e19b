/** Checks of a restore beside those of the content: the archive that was read, what was said, what was left out. */
import type { Check } from './checks.ts';
import type { ClassifiedMessage, RecoverySource } from './recovery.ts';
import { countOf } from './words.ts';

/** A restore is never more than the backup that it restores. */
export function checkFetched(source: Pick<RecoverySource, 'kind' | 'unproven'>): Check {
  const doubt = doubtAbout(source);
  if (doubt !== undefined)
    return { id: 'archive', status: 'partial', reason: doubt, details: [...(source.unproven ?? [])] };
  const reason = 'Every stored object has the SHA-256 of its manifest, and the decrypted archive that of contents.json';
  return { id: 'archive', status: 'passed', reason, details: [] };
}

/** Why a restore of this backup can be partial at best, known before it begins; `undefined` for a proven set. */
export function doubtAbout({ kind, unproven }: Pick<RecoverySource, 'kind' | 'unproven'>): string | undefined {
  if (kind === 'foreign')
    return 'Nothing is recorded of a dump made by other means: whether it is what was dumped, nobody knows';
  if (unproven === undefined) return undefined;
  return 'The backup itself was never proven, so what comes back is what was stored and perhaps not what was there';
}

export function checkMessages(messages: readonly ClassifiedMessage[]): Check {
  const of = (kind: ClassifiedMessage['kind']): readonly ClassifiedMessage[] =>
    messages.filter((message) => message.kind === kind);
  const [fatal, unknown, harmless] = [of('fatal'), of('unknown'), of('harmless')];
  const details = [...fatal, ...unknown].map(({ text, reason }) => `${text}: ${reason}`);
  const passedOver = harmless.length === 0 ? '' : `; ${countOf(harmless.length, 'harmless message')} beside`;
  if (fatal.length > 0) {
    const reason = `pg_restore could not restore everything: ${countOf(fatal.length, 'error')}`;
    return { id: 'messages', status: 'failed', reason, details };
  }
  if (unknown.length > 0) {
    const reason = `pg_restore said ${countOf(unknown.length, 'thing')} that nobody knows to be harmless`;
    return { id: 'messages', status: 'partial', reason, details };
  }
  return { id: 'messages', status: 'passed', reason: `pg_restore reported no error${passedOver}`, details: [] };
}

/** `undefined` where nothing had to be left out. @param gaps of `EntryPlan` */
export function checkLeftOut(gaps: readonly string[]): Check | undefined {
  if (gaps.length === 0) return undefined;
  const reason = `The target cannot take ${countOf(gaps.length, 'part')} of the backup, which the details name`;
  return { id: 'left-out', status: 'partial', reason, details: [...gaps] };
}
