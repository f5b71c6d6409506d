import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFolder } from '../../backends/folder/folder.ts';
import { expectSameWorktree } from '../e2e/objects.ts';
import { Sandbox } from '../sandbox.ts';
import { filesOnServer, HAS_SHARES, mountShare, onHost, SERVER, unmountShare } from './share.ts';
import { soundOnServer } from './sound.ts';

describe.skipIf(!HAS_SHARES)('when something is the matter with a share', () => {
  let box: Sandbox;
  let share: string;
  let number = 0;
  let folder: string;
  beforeEach(() => {
    box = new Sandbox();
    share = mountShare('lfs');
    folder = `trouble-${number++}`;
  });
  afterEach(async () => {
    // Where a test failed, they may still be as it left them.
    await onHost({ deed: 'start' });
    await onHost({ deed: 'release' });
    unmountShare(share);
    box.remove();
  });

  /** A clone with committed objects, none of which is pushed. */
  async function offer(count: number, size: number): Promise<void> {
    await box.team(`//${SERVER}/lfs/${folder}`);
    for (let index = 0; index < count; index++) box.write(`alice/${index}.bin`, size + index);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'objects');
  }

  /** Until an upload has begun: a temp file lies on the server. @throws when the push ends before that was seen. */
  async function uploading(push: Promise<unknown>): Promise<void> {
    let ended = false;
    void push.finally(() => {
      ended = true;
    });
    while (!ended) {
      const files = await filesOnServer(`lfs/${folder}`);
      if (files.some(({ path, size }) => path.startsWith('tmp/depot-put-') && size > 0)) return;
      await pause(10);
    }
    throw new Error('the push ended before anything of it was seen on the server');
  }

  const push = () => box.run('git', ['push', '-q', 'origin', 'main'], { cwd: 'alice' });

  async function pushesAgain(count: number): Promise<void> {
    await box.git('alice', 'push', '-q', 'origin', 'main');
    expect(await soundOnServer(`lfs/${folder}`, 'leftovers')).toHaveLength(count);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  }

  test('a server that dies in the middle of a push leaves no part of an object, and the next push succeeds', async () => {
    await offer(3, 8_000_000);
    const pushing = push();
    await uploading(pushing);
    await onHost({ deed: 'signal', signal: 'SIGKILL' });
    const { status, stderr } = await pushing;
    await soundOnServer(`lfs/${folder}`, 'leftovers');
    await onHost({ deed: 'start' });
    said(stderr);
    expect(status).not.toBe(0);
    expect(stderr).toContain('[3]');
    expect(stderr).toContain('EHOSTDOWN');
    await pushesAgain(3);
  });

  test('a server that is started anew in the middle of a push leaves no part of an object', async () => {
    await offer(3, 8_000_000);
    const pushing = push();
    await uploading(pushing);
    await onHost({ deed: 'signal', signal: 'SIGKILL' });
    await onHost({ deed: 'start' });
    const { status, stderr } = await pushing;
    said(`status ${status} ${stderr}`);
    await soundOnServer(`lfs/${folder}`, 'leftovers');
    await pushesAgain(3);
  });

  test('agents that are killed in the middle of a push leave no part of an object', async () => {
    await offer(3, 8_000_000);
    const child = box.start('git', ['push', '-q', 'origin', 'main'], { cwd: 'alice', detached: true, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    await uploading(ended);
    // Git and all that it started: a process group of its own.
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
    await soundOnServer(`lfs/${folder}`, 'leftovers');
    await pushesAgain(3);
  });

  test('a full disk is named, and leaves nothing', async () => {
    unmountShare(share);
    share = mountShare('small');
    await box.team(`//${SERVER}/small/${folder}`);
    box.write('alice/large.bin', 12_000_000);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'objects');
    const { status, stderr } = await push();
    said(stderr);
    expect(status).not.toBe(0);
    expect(stderr).toContain('[7]');
    expect(stderr).toContain('ENOSPC');
    expect(await soundOnServer(`small/${folder}`)).toEqual([]);
  });

  test.each(['readonly', 'stranger'])('a user who may not write is told so (%s)', async (other) => {
    await offer(1, 1000);
    unmountShare(share);
    share = mountShare(other);
    await box.git('alice', 'config', 'lfs.url', `depot:://${SERVER}/${other}/${folder}`);
    await box.depot('alice', 'trust', `//${SERVER}/${other}`);
    const { status, stderr } = await push();
    said(stderr);
    expect(status).not.toBe(0);
    expect(stderr).toContain('[6]');
    expect(stderr).toContain('EACCES');
    expect(await soundOnServer(`lfs/${folder}`)).toEqual([]);
  });

  test('an object that another client holds open for a while is waited for', async () => {
    await offer(1, 1000);
    await box.git('alice', 'push', '-q', 'origin', 'main');
    const object = await theObject();
    const backend = openFolder(`${share}/${folder}`, {
      location: share,
      anchor: 'lfs-depot.json',
      temp: 'tmp',
      platform: 'linux',
    });
    await onHost({ deed: 'hold', share: 'lfs', path: `${folder}/${object}`, shared: [] });
    let arrived = false;
    const getting = backend.get(object, box.path('fetched')).finally(() => {
      arrived = true;
    });
    await pause(1500);
    expect(arrived).toBe(false);
    await onHost({ deed: 'release' });
    expect(await getting).toBe(1000);
  });

  test('a damaged object that another client holds open is not lost, and is healed afterwards', async () => {
    await offer(1, 1000);
    await box.git('alice', 'push', '-q', 'origin', 'main');
    const object = await theObject();
    await onHost({ deed: 'write', path: `lfs/${folder}/${object}`, content: 'damaged' });
    await onHost({ deed: 'hold', share: 'lfs', path: `${folder}/${object}`, shared: ['read', 'write'] });
    const upload = () => box.run('git', ['lfs', 'push', '--all', 'origin'], { cwd: 'alice' });
    const refused = await upload();
    said(refused.stderr);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('[8]');
    expect(await theObject()).toBe(object);
    await onHost({ deed: 'release' });
    expect(await upload()).toMatchObject({ status: 0 });
    expect(await soundOnServer(`lfs/${folder}`)).toEqual([object.slice(6)]);
  });

  /** The path of the only object of the store. */
  async function theObject(): Promise<string> {
    const objects = (await filesOnServer(`lfs/${folder}`)).filter(({ path }) => path !== 'lfs-depot.json');
    expect(objects).toHaveLength(1);
    return objects[0]!.path;
  }
});

/** What the user is told belongs to the report. */
function said(words: string): void {
  console.log(words.trim());
}
