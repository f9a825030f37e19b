/** What alarms of tests are about: a series, and a step whose series nobody knows. */
import type { AlarmSubject } from '../../src/domain/alarm.ts';

export const SHOP: AlarmSubject = { kind: 'series', command: 'backup', series: 'shop' };
export const STEP: AlarmSubject = { kind: 'step', workflow: 'Nightly', job: 'backup' };
