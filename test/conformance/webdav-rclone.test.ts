import { startRclone } from '../servers/rclone.ts';
import { describeWebdav } from './webdav-conformance.ts';

describeWebdav('rclone', startRclone);
