/** Whether someone who knows what is replaced has said so. */
import type { Finding } from '../findings.ts';
import { inTheWay } from './finding.ts';

export interface Consent {
  confirm?: string;
  reason?: string;
  /** Then `confirm` names a plan, which tells the target as well: `confirmedPlan`. */
  requireSecondPerson: boolean;
  /** Nobody has to have confirmed yet; what is given must be right all the same. False for one with `check-confirm`. */
  dryRun: boolean;
}

/** For a database that is not empty. @param fingerprint what must be typed, to the letter */
export function assessConsent(
  { confirm = '', reason = '', requireSecondPerson, dryRun }: Consent,
  fingerprint: string,
  holds: string,
): Finding[] {
  if (requireSecondPerson) return reasonFindings(reason);
  const must = `To replace it on purpose set exactly \`confirm: ${fingerprint}\`, and \`reason\` to why.`;
  const findings: Finding[] = [];
  if (confirm === '' && dryRun) {
    const seen = `${fingerprint} is not empty: it holds ${holds}. That would be replaced`;
    findings.push({ code: 'confirm-needed', severity: 'notice', seen, action: must });
  } else if (confirm === '') {
    findings.push(inTheWay('confirm-missing', `${fingerprint} is not empty: it holds ${holds}`, must));
  } else if (confirm !== fingerprint) {
    findings.push(
      inTheWay('confirm-wrong', `\`confirm\` is ${JSON.stringify(confirm)}: ${wrongBy(confirm, fingerprint)}`, must),
    );
  }
  return confirm === '' ? findings : [...findings, ...reasonFindings(reason)];
}

function reasonFindings(reason: string): Finding[] {
  if (reason.trim() !== '') return [];
  return [
    inTheWay(
      'reason-missing',
      'A database that is not empty is replaced only for a `reason`',
      'Set `reason`: it goes into the audit record.',
    ),
  ];
}

function wrongBy(confirm: string, fingerprint: string): string {
  if (confirm.trim() === fingerprint) return 'there are blanks around it';
  if (confirm.toLowerCase() === fingerprint.toLowerCase()) {
    return `it differs from ${fingerprint} in upper and lower case, and these can be two databases`;
  }
  const [host, database] = split(confirm);
  const [wantedHost, wantedDatabase] = split(fingerprint);
  if (database === wantedDatabase && host !== wantedHost) {
    return `the database is right, but the connection goes to ${wantedHost}, not to ${host}. Both may be names of one server, or it may be the wrong one: look before you type`;
  }
  if (host === wantedHost && database !== wantedDatabase) {
    return `the host is right, but the connection goes to the database ${wantedDatabase}, not to ${database}`;
  }
  return `the connection goes to ${fingerprint}`;
}

/** A host may be a path; a database's name rarely holds a slash. */
function split(fingerprint: string): [host: string, database: string] {
  const slash = fingerprint.lastIndexOf('/');
  return slash === -1 ? ['', fingerprint] : [fingerprint.slice(0, slash), fingerprint.slice(slash + 1)];
}
