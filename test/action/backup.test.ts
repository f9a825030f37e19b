/** Backups that go well, in all the ways that the inputs offer: what a user sees, and what then lies in storage. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Decrypter, generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contents } from '../../src/domain/contents.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectNoSecret, expectProven, expectTidy, readable } from '../support/expect-run.ts';
