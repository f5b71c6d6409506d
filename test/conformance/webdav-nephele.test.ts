import { startNephele } from '../servers/nephele.ts';
import { describeWebdav } from './webdav-conformance.ts';

describeWebdav('nephele', startNephele);
