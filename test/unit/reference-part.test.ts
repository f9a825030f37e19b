import { describe, expect, test } from 'vitest';
import { referencePart } from '../../src/domain/restored-proof/reference-part.ts';
import { tocOf } from '../support/entry-plans.ts';

const BYSTANDERS = Array.from({ length: 40 }, (_, at) => `${100 + at}; 1259 ${100 + at} TABLE public t${at} me`);

const TOC = tocOf(
  '1; 0 0 ENCODING - ENCODING ',
  '2; 2615 2 SCHEMA - sales me',
  '3; 3079 3 EXTENSION - btree_gist ',
  '4; 1247 4 TYPE public status me',
  '5; 1255 5 FUNCTION public note() me',
  '6; 1259 6 TABLE sales orders me > 4 2',
  '7; 1259 7 TABLE public customers me',
  '8; 1259 8 VIEW public totals me > 6',
  '9; 1259 9 TABLE public parts me',
  '10; 1259 10 TABLE public parts_1 me > 9',
  '11; 1259 11 TABLE public parts_2 me > 9',
  '12; 0 0 TABLE ATTACH public parts_1 me > 9 10',
  '13; 0 0 TABLE ATTACH public parts_2 me > 9 11',
  '14; 2613 14 BLOB - 4711 me',
  '20; 0 6 TABLE DATA sales orders me > 6',
  '30; 2606 30 CONSTRAINT public customers customers_pkey me > 7',
  '31; 1259 31 INDEX sales orders_placed me > 6',
  '32; 2606 32 FK CONSTRAINT sales orders orders_customer_fkey me > 6 7 30',
  '33; 2620 33 TRIGGER sales orders noted me > 6 5',
  '34; 1259 34 INDEX public parts_at me > 9',
  '35; 1259 35 INDEX public parts_1_at me > 34 10',
  '36; 1259 36 INDEX public parts_2_at me > 34 11',
  '37; 0 0 INDEX ATTACH public parts_1_at me > 34 35',
  '38; 0 0 INDEX ATTACH public parts_2_at me > 34 36',
  '39; 0 0 COMMENT public TABLE customers me > 7',
  '40; 0 0 ACL - LARGE OBJECT 4711 me > 14',
  '41; 826 41 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES me',
  ...BYSTANDERS,
);

const plan = { restored: TOC.entries.filter(({ type }) => type !== 'ENCODING') };

function part(keys: string[], withLargeObjects = false): number[] | undefined {
  const differences = { expected: 1, missing: [], extra: [], differing: [], keys: new Set(keys) };
  return referencePart(TOC, plan, differences, withLargeObjects)?.map(({ dumpId }) => dumpId);
}

describe('the part of a backup that a reference needs', () => {
  test('is a table with all that belongs to it and all that those need, and no bystander', () => {
    expect(part(['TABLE\0sales\0orders'])).toEqual([2, 3, 4, 5, 6, 7, 20, 30, 31, 32, 33, 39, 41]);
  });

  test('takes a whole tree of partitions for one of them, with its indexes', () => {
    expect(part(['TABLE\0public\0parts_2'])).toEqual([3, 9, 10, 11, 12, 13, 34, 35, 36, 37, 38, 41]);
    expect(part(['INDEX ATTACH\0public\0parts_1_at'])).toEqual([3, 9, 10, 11, 12, 13, 34, 35, 36, 37, 38, 41]);
  });

  test('takes what a view reads', () => {
    expect(part(['VIEW\0public\0totals'])).toEqual(expect.arrayContaining([8, 6, 4]));
  });

  test('takes every large object with its rights where those are compared', () => {
    expect(part([], true)).toEqual([3, 14, 40, 41]);
    expect(part(['TABLE\0public\0customers'])).not.toContain(14);
  });

  test('is everything where a difference belongs to no entry, or nearly everything is needed', () => {
    expect(part(['TABLE\0public\0customers', 'RULE\0public\0unheard of'])).toBeUndefined();
    expect(part(BYSTANDERS.map((_, at) => `TABLE\0public\0t${at}`))).toBeUndefined();
  });
});
