import workerpool from 'workerpool';
import task from './peer-tasks.mjs';

workerpool.worker({ task });
