import { describe, expect, test } from 'vitest';
import { readAlarmInputs } from '../../src/inputs/alarm.ts';
import { SHOP, STEP, STORAGE } from '../support/alarm-subjects.ts';

describe('the inputs of the alarm', () => {
  const workflow = {
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_WORKFLOW: 'Nightly',
    GITHUB_JOB: 'backup',
  };
  const subject = (inputs: Record<string, string>) => readAlarmInputs({ ...workflow, ...inputs })?.subject;

  test('name the series by `name`, else by the database in the URL, else by the step', () => {
    const url = 'postgresql://u@h/Shop%20EU';
    expect(subject({ INPUT_NAME: 'shop', 'INPUT_DATABASE-URL': 'broken' })).toEqual(SHOP);
    expect(subject({ 'INPUT_DATABASE-URL': url })).toMatchObject({
      series: expect.stringMatching(/^shop-eu-[0-9a-f]{8}$/),
    });
    expect(subject({ PGHOST: 'h', PGUSER: 'shop' })).toEqual(SHOP);
    for (const wrong of [
      {},
      { INPUT_NAME: 'No!', 'INPUT_DATABASE-URL': url },
      { INPUT_COMMAND: 'bakcup', INPUT_NAME: 'shop' },
      { INPUT_COMMAND: 'restore', PGHOST: 'h', PGUSER: 'shop' },
    ]) {
      expect(subject(wrong)).toEqual(STEP);
    }
  });

  test('name all series of the storage for a status without a name', () => {
    expect(subject({ INPUT_COMMAND: 'status' })).toEqual(STORAGE);
    expect(subject({ INPUT_COMMAND: 'status', INPUT_NAME: 'shop' })).toEqual({ ...SHOP, command: 'status' });
  });

  test('are there although others are wrong, and wrong ones switch nothing off', () => {
    const wrong = {
      'INPUT_ISSUE-ON-FAILURE': 'perhaps',
      'INPUT_ISSUE-ASSIGNEES': '!',
      'INPUT_GITHUB-TOKEN': ' t\n',
      INPUT_STORAGE: 'x://',
    };
    expect(readAlarmInputs({ ...workflow, ...wrong })).toMatchObject({
      wanted: true,
      token: 't',
      assignees: [],
      labels: [],
    });
    expect(readAlarmInputs({ ...workflow, 'INPUT_ISSUE-ON-FAILURE': 'false' })?.wanted).toBe(false);
  });

  test('are none outside of a workflow', () => {
    expect(readAlarmInputs({ GITHUB_REPOSITORY: 'acme/shop' })).toBeUndefined();
    expect(readAlarmInputs({ GITHUB_ACTIONS: 'true' })).toBeUndefined();
  });
});
