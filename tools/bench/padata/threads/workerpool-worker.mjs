import workerpool from 'workerpool';
import * as tasks from './peer-tasks.mjs';

workerpool.worker({ ...tasks });
