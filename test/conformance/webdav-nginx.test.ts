import { startNginx } from '../servers/nginx.ts';
import { describeWebdav } from './webdav-conformance.ts';

describeWebdav('nginx', startNginx);
