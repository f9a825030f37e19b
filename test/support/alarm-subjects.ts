/** What alarms of tests are about: a series, all of a storage, and a step whose series nobody knows. */
import type { AlarmSubject } from '../../src/domain/alarm.ts';

export const SHOP = { kind: 'series', command: 'backup', series: 'shop' } as const satisfies AlarmSubject;
export const STORAGE = {
  kind: 'storage',
  command: 'status',
  workflow: 'Nightly',
  job: 'backup',
} as const satisfies AlarmSubject;
export const STEP = { kind: 'step', workflow: 'Nightly', job: 'backup' } as const satisfies AlarmSubject;
