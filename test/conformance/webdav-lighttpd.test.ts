import { startLighttpd } from '../servers/lighttpd.ts';
import { describeWebdav } from './webdav-conformance.ts';

describeWebdav('lighttpd', startLighttpd);
