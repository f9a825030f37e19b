import { describe, expect, test } from 'vitest';
import { plan, tocOf } from '../support/entry-plans.ts';

describe('parts', () => {
  test('a table brings all that is its own, and what that needs', () => {
    const made = plan({}, { tables: ['public.orders'] });
    expect(made.ids).toEqual([20, 21, 31, 32, 40, 51, 52, 61, 62, 65, 66, 67, 70, 71, 90]);
    expect(made.why).toEqual({
      'fk constraint public.orders orders_customer_fkey': 'it needs the table public.customers, which is not chosen',
      'fk constraint public.orders orders_user_fkey': 'it needs the table auth.users, which is not chosen',
      [Object.keys(made.why).find((what) => what.endsWith('other entries of the backup')) ?? '']:
        'outside of `schemas` and `tables`',
    });
  });

  test('a view whose tables are not chosen is left out with the reason', () => {
    const made = plan({}, { tables: ['totals', 'orders'] });
    expect(made.why['view public.totals']).toContain('public.customers, which is not chosen');
    expect(plan({}, { tables: ['totals', 'orders', 'customers'] }).ids).toEqual(expect.arrayContaining([33, 63]));
  });

  test('schemas are folded like everywhere, and quoted names are not', () => {
    expect(plan({}, { schemas: ['"Sales"'] }).ids).toEqual([11, 37]);
    expect(plan({}, { tables: ['"Sales".*'] }).ids).toEqual([11, 37]);
    const missed = plan({}, { schemas: ['Sales'] });
    expect(missed.findings[0]).toMatchObject({ severity: 'error', action: 'Did you mean `"Sales"`?' });
  });

  test.each([
    ['odrers', '`public.orders`'],
    ['leads', '`"Sales"."Leads"`'],
    ['auth.user', '`auth.users`'],
    ['public.users', '`auth.users`'],
  ])('a pattern that matches nothing, %s, names what is close', (pattern, close) => {
    const [finding] = plan({}, { tables: [pattern] }).findings;
    expect(finding).toMatchObject({ code: 'pattern-without-match', severity: 'error' });
    expect(finding?.action).toContain(close);
  });

  test('what is not a pattern is refused', () => {
    expect(() => plan({}, { tables: ['"open'] })).toThrow('never closed');
    expect(() => plan({}, { tables: ['public.(a'] })).toThrow('no valid regular expression');
  });

  test('a schema that is there is not created again', () => {
    const made = plan({ existing: { schemas: ['Sales'], extensions: [] } }, { schemas: ['"Sales"'] });
    expect(made.ids).toEqual([37]);
    expect(made.why['definition of schema Sales']).toContain('already');
  });

  test('a plan that restores nothing is an error', () => {
    const one = tocOf('84; 6100 31 SUBSCRIPTION - feed shop_owner');
    expect(plan({ toc: one }).findings).toContainEqual(expect.objectContaining({ code: 'nothing-to-restore' }));
  });
});
