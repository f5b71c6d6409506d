import { startSabre } from '../servers/sabre.ts';
import { describeWebdav } from './webdav-conformance.ts';

describeWebdav('sabre', () => startSabre('', true), { move: 'copies' });
