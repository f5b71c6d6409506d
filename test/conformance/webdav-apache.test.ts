import { startApache } from '../servers/apache.ts';
import { describeWebdav } from './webdav-conformance.ts';

describeWebdav('apache', startApache);
