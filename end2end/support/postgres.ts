// A PostgreSQL of a test's own: a free port, a temporary folder. It writes down what it says is stored.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const START_MS = 60_000;
const TRIES = 8;

/** `fast` ends what is under way and closes the files; `immediate` is as good as a crash. */
const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

export class Postgres {
  log = '';
  url = '';
  private port = 0;
  private process?: ChildProcess;
  private readonly folder = mkdtempSync(join(tmpdir(), 'muster-e2e-postgres-'));
  private readonly data = join(this.folder, 'data');
  private readonly bin = programs();
  private readonly as = somebody();

  /** Starts it; the second time on the port and the data of the first. */
  async start(): Promise<void> {
    if (this.url) {
      if (!(await this.startOn(this.port))) throw new Error(`PostgreSQL did not start again:\n${this.log}`);
      return;
    }
    const password = this.make();
    // A port that is free now may be taken a moment later, so another is tried. Below the range of outgoing connections.
    for (let tried = 0; tried < TRIES; tried++) {
      this.port = randomInt(20_000, 30_000);
      if (await this.startOn(this.port)) {
        this.url = `postgres://muster:${password}@127.0.0.1:${this.port}/postgres`;
        return;
      }
    }
    throw new Error(`PostgreSQL did not start:\n${this.log}`);
  }

  async stop(how: keyof typeof SIGNALS): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(SIGNALS[how]);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes the data folder; gives the password. Anybody on this machine can reach the port, so that it asks for one. */
  private make(): string {
    const password = randomBytes(16).toString('hex');
    const file = join(this.folder, 'password');
    chmodSync(this.folder, 0o755);
    mkdirSync(this.data);
    writeFileSync(file, password, { mode: 0o600 });
    if (this.as) for (const path of [this.data, file]) chownSync(path, this.as.uid, this.as.gid);
    const options = ['--username=muster', `--pwfile=${file}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
    execFileSync(join(this.bin, 'initdb'), [`--pgdata=${this.data}`, ...options], { ...this.as, env: this.environment(), stdio: 'pipe' });
    return password;
  }

  /** True once it takes connections, false once it has ended. */
  private async startOn(port: number): Promise<boolean> {
    const args = ['-D', this.data, '-h', '127.0.0.1', '-p', `${port}`, '-k', '', '-c', 'fsync=on', '-c', 'synchronous_commit=on', '-c', 'full_page_writes=on'];
    const child = spawn(join(this.bin, 'postgres'), args, { ...this.as, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.process = child;
    for (const late = Date.now() + START_MS; Date.now() < late && child.exitCode === null && child.signalCode === null; await pause(50)) {
      // One that crashed has left its file. The first line is the server's number; the eighth tells when it is ready.
      const file = join(this.data, 'postmaster.pid');
      const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
      if (lines[0] === `${child.pid}` && lines[7]?.startsWith('ready')) return true;
    }
    await this.stop('immediate');
    return false;
  }

  private environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: tmpdir() };
  }
}

/** Where the newest version's programs are. Debian keeps them off the PATH. */
function programs(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const onPath = (process.env.PATH ?? '').split(':');
  const found = [...versions.map((version) => join(debian, version, 'bin')), ...onPath].find((bin) => ['initdb', 'postgres'].every((name) => existsSync(join(bin, name))));
  if (!found) throw new Error('PostgreSQL is missing. Install it: apt-get install postgresql');
  return found;
}

/** PostgreSQL refuses to run as root. Its own user comes with its package; nobody will do, too. */
function somebody(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (what: string) => Number(execFileSync('id', [what, name], { stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // There is no such user.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres to run it as.');
}
