/**
 * An event of PagerDuty's Events API v2: a failure triggers an incident for the series and command, a recovery resolves
 * it, and nothing else calls anybody. Fields and limits: https://developer.pagerduty.com/docs/send-alert-event
 */
import { createHash } from 'node:crypto';
import { linksOf, type Notice, type NoticeSubject, sectionsOf } from '../notice.ts';
import { fitted } from './fit.ts';

const MAX_SUMMARY = 1_024;
const MAX_DEDUP_KEY = 255;
const MAX_SECTION = 3_000;

/** `undefined` for what calls nobody. */
export function pagerDutyPayload(notice: Notice, routingKey: string): object | undefined {
  const action = actionOf(notice);
  if (action === undefined) return undefined;
  const { about, level, code, title } = notice;
  const { command, series, repository, runUrl, at } = about;
  const base = { routing_key: routingKey, event_action: action, dedup_key: dedupKey(about) };
  if (action === 'resolve') return base;
  return {
    ...base,
    payload: {
      summary: fitted(title, MAX_SUMMARY),
      source: repository ?? 'db-backup-action',
      severity: level === 'critical' ? 'critical' : 'warning',
      timestamp: at.toISOString(),
      component: series ?? 'unknown',
      group: command,
      ...(code === undefined ? {} : { class: code }),
      custom_details: Object.fromEntries(
        sectionsOf(notice).map(({ heading, text }) => [heading, fitted(text, MAX_SECTION)]),
      ),
    },
    client: 'db-backup-action',
    ...(runUrl === undefined ? {} : { client_url: runUrl }),
    links: linksOf(notice).map(({ title: text, url: href }) => ({ href, text })),
  };
}

function actionOf({ kind }: Notice): 'trigger' | 'resolve' | undefined {
  switch (kind) {
    case 'failure':
    case 'worse':
    case 'reminder':
      return 'trigger';
    case 'recovery':
      return 'resolve';
    default:
      return undefined;
  }
}

/** One incident for each series and command of a repository. */
export function dedupKey({ repository = 'local', series = 'unknown', command }: NoticeSubject): string {
  const key = `db-backup-action/${repository}/${series}/${command}`;
  if (key.length <= MAX_DEDUP_KEY) return key;
  return `db-backup-action/${createHash('sha256').update(key).digest('hex')}`;
}
