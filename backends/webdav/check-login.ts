import { randomBytes } from 'node:crypto';
import { clientFor } from './client.ts';
import { discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import type { WebOptions } from './options.ts';
import { pathsBelow } from './paths.ts';

/**
 * Whether a server lets in whom `web.credentials` gives, asked once.
 * @throws DepotError for anything else that is in the way.
 */
export async function checkLogin(url: string, web: WebOptions): Promise<'accepted' | 'refused' | 'not-asked'> {
  let asked = false;
  let refused = false;
  const { credentials } = web;
  const watched: WebOptions = {
    ...web,
    credentials: {
      find: (challenges) => {
        asked = true;
        return credentials.find(challenges);
      },
      accepted: async () => {},
      refused: async () => {
        refused = true;
      },
    },
  };
  const client = clientFor(url, watched);
  const what = `cannot log in to ${url}`;
  try {
    const headers = { Depth: '0' };
    const answer = await client.send({ what, method: 'PROPFIND', url: pathsBelow(url).folder(''), headers });
    // That the folder is not there, or may not be seen, is another matter: the password was right.
    if (answer.status !== 207 && ![403, 404, 405].includes(answer.status))
      throw await failureOf(answer, what, client.login);
    await discard(answer);
    // Where anybody may read, whoever writes may be asked all the same. Nothing has this name, and so nothing is lost.
    const nothing = pathsBelow(url).file(`depot-login-${randomBytes(16).toString('hex')}`);
    if (!asked) await discard(await client.send({ what, method: 'DELETE', url: nothing }));
    return asked ? 'accepted' : 'not-asked';
  } catch (error) {
    if (refused) return 'refused';
    throw error;
  }
}
