/** Whether a backup would get past its preflight, as far as that can be known without writing. */
import { countOf } from '../words.ts';
import { healthCheck } from './model.ts';

export const READINESS = [
  healthCheck({
    code: 'backup-readiness',
    group: 'readiness',
    needs: 'readiness',
    words:
      'Everything of the preflight of a backup that needs no write: rights, row-level security, settings that hide damage, extensions that need care, with `storage` also room in a directory and whether the series is that of this database. Fails where a backup would be refused, warns where it would warn.',
    judge: (findings) => {
      const errors = findings.filter(({ severity }) => severity === 'error');
      const warnings = findings.filter(({ severity }) => severity === 'warning');
      const all = [...errors, ...warnings];
      if (all.length === 0) return { status: 'passed', seen: 'A backup would find nothing in its way', value: 0 };
      return {
        status: errors.length > 0 ? 'failed' : 'warning',
        seen:
          errors.length > 0
            ? `A backup would be refused: ${errors[0]?.seen}`
            : `A backup would warn of ${countOf(all.length, 'thing')}`,
        action: all[0]?.action ?? '',
        details: all.map(({ code, seen, action }) => `${code}: ${seen}${action === '' ? '' : `. ${action}`}`),
        value: all.length,
      };
    },
  }),
];
