// The files from the field that the domain's tests read, and what `muster check` says about a file.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { binary } from './muster.ts';

const folder = resolve(import.meta.dirname, '../../app/domain/tests/cases');

export function caseFiles(): string[] {
  return readdirSync(folder).filter((name) => !name.endsWith('.md')).sort();
}

export function casePath(name: string): string {
  const found = caseFiles().find((file) => file.startsWith(name));
  if (!found) throw new Error(`no file from the field begins with ${name}`);
  return join(folder, found);
}

export type Counts = { devices: number; problems: number; warnings: number };

/** What `muster check` counts in a file, and its exit code. */
export function checkOnCommandLine(path: string, ...options: string[]): Counts & { code: number | null } {
  const { status, stdout, stderr } = spawnSync(binary, ['check', ...options, path], { encoding: 'utf8' });
  const places = stderr.split('\n').filter((line) => line.startsWith(`${path}:`));
  const warnings = places.filter((line) => /^.*?:\d+:\d+: warning: /i.test(line)).length;
  const devices = Number(/^([\d,]+) devices?$/m.exec(stdout)?.[1].replaceAll(',', ''));
  return { devices, problems: places.length - warnings, warnings, code: status };
}
